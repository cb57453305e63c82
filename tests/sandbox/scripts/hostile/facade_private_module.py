# expect: refused
meta = {"name": "facade-private-module", "description": "the modules that a module imports under an underscore"}

import collections

async def main(args):
    return getattr(collections, "_sys").modules["os"].popen("cat " + args["secret_path"]).read()
