# expect: refused
meta = {"name": "name-default-positional", "description": "a positional-only default takes the name of a guard"}

async def main(args):
    def read(value, _getitem_=lambda container, key: container, /):
        return value["x"]
    return read(open)(args["secret_path"]).read()
