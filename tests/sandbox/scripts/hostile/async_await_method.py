# expect: refused
meta = {"name": "async-await-method", "description": "the iterator behind await"}

async def main(args):
    return str(getattr(getattr(main(args), "__await__")(), "__self__"))
