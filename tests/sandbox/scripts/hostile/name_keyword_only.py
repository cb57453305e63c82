# expect: refused
meta = {"name": "name-keyword-only", "description": "a keyword-only parameter takes the name of the builtins"}

async def main(args):
    return (lambda *, __builtins__={}: open(args["secret_path"]).read())()
