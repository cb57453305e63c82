# expect: contained
meta = {"name": "resource-yield-from", "description": "a generator inside a generator, a hundred thousand times"}

async def main(args):
    def nest(inner):
        yield from inner
    nested = iter([1])
    for _ in range(100_000):
        nested = nest(nested)
    return list(nested)
