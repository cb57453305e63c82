# expect: refused
meta = {"name": "format-walrus-guard", "description": "an f-string binds a guard inside its spec"}

async def main(args):
    return f"{1:{(_format_ := str)}}"
