# expect: refused
meta = {"name": "facade-slot", "description": "the table behind the names of a module"}

import json

async def main(args):
    return str(getattr(json, "_members")["loads"])
