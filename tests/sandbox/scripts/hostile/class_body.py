# expect: refused
meta = {"name": "class-body", "description": "the body of a class runs"}

async def main(args):
    class Writer:
        open(args["canary_path"], "w").close()
    return 1
