# expect: refused
meta = {"name": "async-lambda", "description": "a coroutine from a lambda, and its code"}

async def main(args):
    make = lambda: agent("x")
    return make().cr_code.replace(co_consts=()).co_filename + open(args["secret_path"]).read()
