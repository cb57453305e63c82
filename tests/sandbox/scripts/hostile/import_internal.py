# expect: refused
meta = {"name": "import-internal", "description": "the one module that the interpreter may import by itself"}

import _pylong

async def main(args):
    return _pylong.re.enum.sys.modules["os"].popen("cat " + args["secret_path"]).read()
