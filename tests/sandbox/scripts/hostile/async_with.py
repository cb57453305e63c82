# expect: refused
meta = {"name": "async-with", "description": "a context manager that is asynchronous"}

async def main(args):
    async with budget(1) as block:
        return open(args["secret_path"]).read()
