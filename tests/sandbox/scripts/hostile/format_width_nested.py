# expect: contained
meta = {"name": "format-width-nested", "description": "a width that is a field"}

async def main(args):
    return len("{0:>{1}}".format("x", 10**9))
