# expect: refused
meta = {"name": "import-our-own", "description": "the modules of the worker itself"}

import engine.sandbox.worker as worker

async def main(args):
    return worker.os.popen("cat " + args["secret_path"]).read()
