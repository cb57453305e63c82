# expect: contained
meta = {"name": "resource-repr", "description": "a value that is endless as text"}

async def main(args):
    nest = []
    for _ in range(60):
        nest = [nest, nest]
    return len(repr(nest))
