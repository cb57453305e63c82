# expect: refused
meta = {"name": "library-reduce", "description": "reduce calls getattr in the script's name"}

import functools

async def main(args):
    return functools.reduce(getattr, ["__globals__"], main)["__builtins__"]["open"](args["secret_path"]).read()
