# expect: refused
meta = {"name": "match-rebound-type", "description": "a builtin type by name is another thing by then"}

async def main(args):
    list = object
    match main:
        case list(__builtins__=names):
            return names["open"](args["secret_path"]).read()
