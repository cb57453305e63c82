# expect: refused
meta = {"name": "import-low-level-socket", "description": "the module in C behind socket"}

import _socket

async def main(args):
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    connection.connect(("127.0.0.1", args["port"]))
    return "connected"
