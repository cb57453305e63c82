# expect: contained
meta = {"name": "resource-deep-comparison", "description": "two values that are equal a long way down"}

async def main(args):
    left, right = [], []
    for _ in range(1_000_000):
        left, right = [left], [right]
    return left == right
