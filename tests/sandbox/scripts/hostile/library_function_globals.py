# expect: refused
meta = {"name": "library-function-globals", "description": "a function of the standard library has the globals of its module"}

import statistics

async def main(args):
    return getattr(statistics.mean, "__globals__")["__builtins__"]["open"](args["secret_path"]).read()
