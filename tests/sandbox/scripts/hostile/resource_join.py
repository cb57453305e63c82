# expect: contained
meta = {"name": "resource-join", "description": "a separator of megabytes between many items"}

async def main(args):
    return len(("x" * 5_000_000).join(["y"] * 5_000_000))
