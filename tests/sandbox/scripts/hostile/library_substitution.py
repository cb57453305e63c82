# expect: refused
meta = {"name": "library-substitution", "description": "what replaces a match is a call"}

import re

async def main(args):
    return re.sub("x", lambda match: getattr(re.compile, "__builtins__")["open"](args["secret_path"]).read(), "x")
