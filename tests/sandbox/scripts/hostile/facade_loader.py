# expect: refused
meta = {"name": "facade-loader", "description": "the loader of a module reads any file"}

import json

async def main(args):
    return getattr(json, "__loader__").get_data(args["secret_path"]).decode()
