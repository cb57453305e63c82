# expect: refused
meta = {"name": "library-partial", "description": "partial calls getattr later"}

import functools

async def main(args):
    names = functools.partial(getattr, main, "__builtins__")()
    return names["open"](args["secret_path"]).read()
