# expect: contained
meta = {"name": "resource-json-nesting", "description": "a million brackets"}

import json

async def main(args):
    return len(json.loads("[" * 1_000_000 + "]" * 1_000_000))
