# expect: contained
meta = {"name": "format-width-builtin", "description": "a width of nine digits for the builtin"}

async def main(args):
    return len(format(1, "999999999d"))
