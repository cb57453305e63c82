# expect: contained
meta = {"name": "format-width-other-digits", "description": "the digits of a width are not the ten of ASCII"}

async def main(args):
    return len(f"{1:{chr(0x669) * 9}d}") + len(format(1, chr(0x967) * 9 + "d"))
