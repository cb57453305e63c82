# expect: contained
meta = {"name": "resource-product-of-numbers", "description": "a product of large numbers by a function"}

import math

async def main(args):
    return math.prod([1 << 60_000] * 1_000_000) > 0
