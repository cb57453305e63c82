# expect: refused
meta = {"name": "connect", "description": "a connection"}

import socket

async def main(args):
    return socket.create_connection(("127.0.0.1", args["port"]))
