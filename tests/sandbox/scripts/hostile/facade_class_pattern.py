# expect: refused
meta = {"name": "facade-class-pattern", "description": "a pattern inside a pattern reads attributes of a module's members"}

import json

async def main(args):
    match json:
        case object(loads=object(__builtins__=names)):
            return names["open"](args["secret_path"]).read()
