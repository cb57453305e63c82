# expect: contained
meta = {"name": "resource-quantiles", "description": "a thousand million quantiles"}

import statistics

async def main(args):
    return len(statistics.quantiles([1, 2], n=10**9))
