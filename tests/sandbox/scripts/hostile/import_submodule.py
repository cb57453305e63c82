# expect: refused
meta = {"name": "import-submodule", "description": "a part of an allowed module brings all of it"}

import json.decoder

async def main(args):
    return json.codecs.open(args["secret_path"]).read()
