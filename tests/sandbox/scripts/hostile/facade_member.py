# expect: refused
meta = {"name": "facade-member", "description": "a module's own imports"}

import textwrap

async def main(args):
    return getattr(textwrap, "re").enum.sys.modules["os"].popen("cat " + args["secret_path"]).read()
