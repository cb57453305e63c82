# expect: contained
meta = {"name": "percent-mapped", "description": "formatting by a function that is handed on"}

import functools

async def main(args):
    return functools.reduce(lambda a, b: a % b, ["%-999999999s", "x"])
