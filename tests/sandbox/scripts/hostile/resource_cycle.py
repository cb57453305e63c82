# expect: contained
meta = {"name": "resource-cycle", "description": "a list of an endless iterator"}

import itertools

async def main(args):
    return len(list(itertools.cycle([1])))
