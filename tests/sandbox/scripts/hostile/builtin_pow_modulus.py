# expect: contained
meta = {"name": "builtin-pow-modulus", "description": "a power with a modulus of many digits"}

async def main(args):
    return pow(3, (1 << 60_000) - 1, (1 << 60_000) - 1) > 0
