# expect: refused
meta = {"name": "match-guard-walrus", "description": "the guard of a case binds a guard of ours"}

async def main(args):
    match args:
        case found if (_getitem_ := lambda container, key: container):
            return found["secret_path"]
