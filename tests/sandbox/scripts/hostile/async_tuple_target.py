# expect: refused
meta = {"name": "async-tuple-target", "description": "a tuple of targets, one of them a guard"}

async def main(args):
    async def pairs():
        yield 1, getattr
    async for number, _getattr_ in pairs():
        return main.__builtins__["open"](args["secret_path"]).read()
