# expect: refused
meta = {"name": "library-wrapper", "description": "a class that takes whatever it is given"}

from textwrap import TextWrapper

async def main(args):
    return TextWrapper.__init__.__globals__["re"].enum.sys.modules["os"].popen("cat " + args["secret_path"]).read()
