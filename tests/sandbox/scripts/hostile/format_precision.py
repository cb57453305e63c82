# expect: contained
meta = {"name": "format-precision", "description": "a precision of nine digits"}

async def main(args):
    return len(f"{1.0:.{999999999}f}")
