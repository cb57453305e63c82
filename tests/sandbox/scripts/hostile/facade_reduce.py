# expect: refused
meta = {"name": "facade-reduce", "description": "what pickle would call to make a module again"}

import json

async def main(args):
    make, kinds, *_ = getattr(json, "__reduce_ex__")(2)
    return str(make(*kinds))
