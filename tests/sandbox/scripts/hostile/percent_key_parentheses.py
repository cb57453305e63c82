# expect: contained
meta = {"name": "percent-key-parentheses", "description": "the key of a directive holds parentheses"}

async def main(args):
    return len("%(a(b)c)999999999d" % {"a(b)c": 1})
