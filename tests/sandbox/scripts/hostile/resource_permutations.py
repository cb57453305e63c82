# expect: contained
meta = {"name": "resource-permutations", "description": "all orders of twenty things"}

import itertools

async def main(args):
    return len(list(itertools.permutations(range(20))))
