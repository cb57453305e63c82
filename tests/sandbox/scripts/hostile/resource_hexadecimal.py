# expect: contained
meta = {"name": "resource-hexadecimal", "description": "a number of a hundred million digits"}

async def main(args):
    return int("f" * 100_000_000, 16).bit_count()
