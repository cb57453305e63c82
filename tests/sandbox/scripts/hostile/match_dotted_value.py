# expect: refused
meta = {"name": "match-dotted-value", "description": "a dotted value is read past the guard"}

import json

async def main(args):
    match args:
        case json.codecs.open:
            return 1
