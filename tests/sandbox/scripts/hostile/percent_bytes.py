# expect: contained
meta = {"name": "percent-bytes", "description": "bytes are formatted as well"}

async def main(args):
    return len("%999999999d".encode() % 1)
