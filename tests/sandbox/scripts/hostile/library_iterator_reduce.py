# expect: refused
meta = {"name": "library-iterator-reduce", "description": "an iterator names the builtin that makes it, and that its module"}

async def main(args):
    make = getattr(iter([1]), "__reduce__")()[0]
    return getattr(make, "__self__").open(args["secret_path"]).read()
