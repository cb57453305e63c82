# expect: refused
meta = {"name": "library-named-tuple", "description": "a factory of classes"}

from collections import namedtuple

async def main(args):
    return getattr(namedtuple("A", "x"), "__new__").__builtins__["open"](args["secret_path"]).read()
