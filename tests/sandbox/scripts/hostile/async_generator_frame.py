# expect: refused
meta = {"name": "async-generator-frame", "description": "the frame of an asynchronous generator"}

async def main(args):
    async def each():
        yield 1
    return each().ag_frame.f_builtins["open"](args["secret_path"]).read()
