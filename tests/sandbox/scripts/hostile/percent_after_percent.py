# expect: contained
meta = {"name": "percent-after-percent", "description": "a directive right after a doubled sign"}

async def main(args):
    return len("%%%(a)999999999d" % {"a": 1})
