# expect: contained
meta = {"name": "resource-tabs", "description": "a tab of two thousand million blanks"}

async def main(args):
    return len(("\t" * 10).expandtabs(2**31 - 1))
