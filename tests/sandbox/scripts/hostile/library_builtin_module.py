# expect: refused
meta = {"name": "library-builtin-module", "description": "a builtin function is bound to its module"}

async def main(args):
    return getattr(sorted, "__self__").open(args["secret_path"]).read()
