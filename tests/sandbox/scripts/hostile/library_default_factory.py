# expect: refused
meta = {"name": "library-default-factory", "description": "a missing key calls getattr"}

import collections
import functools

async def main(args):
    names = collections.defaultdict(functools.partial(getattr, main, "__builtins__"))["missing"]
    return names["open"](args["secret_path"]).read()
