# expect: refused
meta = {"name": "builtin-descriptor", "description": "a property without a class"}

async def main(args):
    return property(lambda _: open(args["secret_path"]).read()).fget(1)
