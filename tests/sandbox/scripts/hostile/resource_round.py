# expect: contained
meta = {"name": "resource-round", "description": "a number rounded to its hundred millionth digit before the point"}

async def main(args):
    return round(1, -(10**8))
