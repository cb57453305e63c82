# expect: refused
meta = {"name": "name-comprehension-target", "description": "a comprehension takes the name of a guard"}

async def main(args):
    return [main.__builtins__ for _getattr_ in [getattr]][0]["open"](args["secret_path"]).read()
