# expect: refused
meta = {"name": "async-comprehension", "description": "an asynchronous comprehension looks into coroutines"}

async def main(args):
    async def each():
        yield main(args)
    return [getattr(one, "cr_frame").f_builtins["open"](args["secret_path"]).read() async for one in each()][0]
