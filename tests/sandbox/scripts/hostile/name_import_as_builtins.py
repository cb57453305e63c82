# expect: refused
meta = {"name": "name-import-as-builtins", "description": "an import takes the name of the builtins"}

import json as __builtins__

async def main(args):
    return open(args["secret_path"]).read()
