# expect: contained
meta = {"name": "api-print-separator", "description": "a separator that is no text"}

import json

async def main(args):
    try:
        print(1, 2, sep=json)
    except Exception as error:
        return str(error)[:200]
