# expect: refused
meta = {"name": "name-temporary", "description": "the name behind d[k] += v"}

async def main(args):
    counts = {"n": 1}
    counts["n"] += 1
    return _tmp0
