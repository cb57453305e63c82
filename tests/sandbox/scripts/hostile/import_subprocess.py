# expect: refused
meta = {"name": "import-subprocess", "description": "another program does the work"}

import subprocess

async def main(args):
    return subprocess.run(["cat", args["secret_path"]], capture_output=True, text=True).stdout
