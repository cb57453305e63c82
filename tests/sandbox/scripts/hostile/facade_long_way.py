# expect: refused
meta = {"name": "facade-long-way", "description": "from a decoder to the system, one public name after the other"}

import json

async def main(args):
    return json.decoder.scanner.re.enum.sys.modules["os"].system("echo owned > " + args["canary_path"])
