# expect: refused
meta = {"name": "import-collector", "description": "the garbage collector knows every object"}

import gc

async def main(args):
    for each in gc.get_objects():
        if isinstance(each, dict) and "open" in each and "compile" in each:
            return each["open"](args["secret_path"]).read()
