# expect: refused
meta = {"name": "builtin-globals", "description": "the dict of all names"}

async def main(args):
    return globals()["__builtins__"]["open"](args["secret_path"]).read()
