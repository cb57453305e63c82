# expect: refused
meta = {"name": "builtin-metaclass", "description": "a class without the statement"}

async def main(args):
    Kind = type("Kind", (str,), {"__eq__": lambda self, other: True})
    return getattr(main, Kind("__builtins__"))["open"](args["secret_path"]).read()
