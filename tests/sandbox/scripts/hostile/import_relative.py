# expect: refused
meta = {"name": "import-relative", "description": "an import relative to who knows what"}

from . import spawn

async def main(args):
    return spawn.os.popen("cat " + args["secret_path"]).read()
