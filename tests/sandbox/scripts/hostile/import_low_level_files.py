# expect: refused
meta = {"name": "import-low-level-files", "description": "the module in C behind open"}

import _io

async def main(args):
    return _io.open(args["secret_path"]).read()
