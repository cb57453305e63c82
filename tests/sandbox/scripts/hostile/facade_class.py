# expect: refused
meta = {"name": "facade-class", "description": "the class of a module"}

import json

async def main(args):
    return str(getattr(json, "__class__")("mine", {"open": 1}))
