# expect: contained
meta = {"name": "api-options-factory", "description": "options that make themselves up"}

import collections

async def main(args):
    options = collections.defaultdict(lambda: getattr(main, "__builtins__", {}))
    try:
        return await agent("x", options)
    except Exception as error:
        return str(error)[:200]
