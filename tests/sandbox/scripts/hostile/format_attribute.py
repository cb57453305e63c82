# expect: refused
meta = {"name": "format-attribute", "description": "str.format, unbound, reads attributes"}

async def main(args):
    return list(map(str.format, ["{0.__globals__}"], [main]))
