# expect: contained
meta = {"name": "resource-justify", "description": "text padded to ten thousand million characters"}

async def main(args):
    return len("x".ljust(10**10))
