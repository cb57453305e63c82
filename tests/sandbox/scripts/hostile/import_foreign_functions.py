# expect: refused
meta = {"name": "import-foreign-functions", "description": "any function of the C library"}

import ctypes

async def main(args):
    library = ctypes.CDLL(None)
    file = library.creat(args["canary_path"].encode(), 0o600)
    return library.write(file, "owned".encode(), 5)
