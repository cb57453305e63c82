# expect: refused
meta = {"name": "exception-attribute-owner", "description": "an error about a module carries the module"}

import json

async def main(args):
    try:
        return json.nothing
    except AttributeError as error:
        return getattr(error, "obj").__loader__.get_data(args["secret_path"]).decode()
