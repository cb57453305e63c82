# expect: refused
meta = {"name": "api-closure", "description": "the cells of an API function"}

async def main(args):
    cells = getattr(parallel, "__closure__")
    return getattr(cells[0].cell_contents, "__globals__")["__builtins__"]["open"](args["secret_path"]).read()
