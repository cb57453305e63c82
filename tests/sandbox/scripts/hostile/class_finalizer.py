# expect: refused
meta = {"name": "class-finalizer", "description": "an object acts when it goes"}

async def main(args):
    class Writer:
        def __del__(self):
            open(args["canary_path"], "w").close()
    Writer()
    return 1
