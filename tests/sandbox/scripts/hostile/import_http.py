# expect: refused
meta = {"name": "import-http", "description": "a connection that begins as a page"}

import http.client

async def main(args):
    http.client.HTTPConnection("127.0.0.1", args["port"], timeout=2).connect()
    return "connected"
