# expect: refused
meta = {"name": "exception-stop-value", "description": "a finished generator returns what it found"}

async def main(args):
    def find():
        yield 1
        return getattr(main, "__builtins__")["open"]
    def pass_on():
        found = yield from find()
        yield found(args["secret_path"]).read()
    return list(pass_on())
