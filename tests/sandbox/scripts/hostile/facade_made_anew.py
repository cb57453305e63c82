# expect: refused
meta = {"name": "facade-made-anew", "description": "a module's own constructor gives it other members"}

import json

async def main(args):
    getattr(json, "__init__")("json", {"loads": getattr(main, "__builtins__", {}).get("open", len)})
    return json.loads(args["secret_path"]).read()
