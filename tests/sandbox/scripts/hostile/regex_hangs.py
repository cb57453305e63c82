# expect: contained
meta = {"name": "regex-hangs", "description": "a regular expression that backtracks for ever"}

import re

async def main(args):
    return bool(re.match(r"(a+)+$", "a" * 40 + "b"))
