# expect: refused
from __future__ import annotations as _getattr_

meta = {"name": "import-future-alias", "description": "a future import under another name"}

async def main(args):
    return main.__builtins__["open"](args["secret_path"]).read()
