# expect: refused
meta = {"name": "library-comparison-key", "description": "a comparison key keeps its object in the open"}

import functools

async def main(args):
    key = functools.cmp_to_key(lambda a, b: 0)(main)
    return getattr(getattr(key, "obj"), "__builtins__")["open"](args["secret_path"]).read()
