# expect: refused
meta = {"name": "match-capture-guard", "description": "a capture takes the name of a guard"}

async def main(args):
    match {"a": main}:
        case {"a": _, **_getattr_}:
            return _getattr_
