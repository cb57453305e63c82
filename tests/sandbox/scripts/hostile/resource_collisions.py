# expect: contained
meta = {"name": "resource-collisions", "description": "numbers that all have the same hash"}

async def main(args):
    return len({number * (2**61 - 1) for number in range(10**6)})
