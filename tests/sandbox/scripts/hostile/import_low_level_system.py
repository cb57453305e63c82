# expect: refused
meta = {"name": "import-low-level-system", "description": "the module in C behind os"}

import posix

async def main(args):
    file = posix.open(args["canary_path"], posix.O_CREAT | posix.O_WRONLY)
    return posix.write(file, "owned".encode())
