# expect: refused
meta = {"name": "library-match-pattern", "description": "a match leads to its pattern and on to the module"}

import re

async def main(args):
    pattern = getattr(re.match("x", "x"), "re")
    return getattr(getattr(pattern, "__class__"), "__module__") + str(getattr(re, "enum").sys.modules)
