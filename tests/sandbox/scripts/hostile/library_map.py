# expect: refused
meta = {"name": "library-map", "description": "map calls getattr in the script's name"}

async def main(args):
    names = list(map(getattr, [main], ["__builtins__"]))[0]
    return names["open"](args["secret_path"]).read()
