# expect: refused
meta = {"name": "match-attribute", "description": "a class pattern reads an attribute past the guard"}

async def main(args):
    match main:
        case object(__builtins__=names):
            return names["open"](args["secret_path"]).read()
