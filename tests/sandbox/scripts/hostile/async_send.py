# expect: refused
meta = {"name": "async-send", "description": "what a coroutine hands to the trampoline"}

async def main(args):
    operation = agent("x").send(None)
    return getattr(operation, "__init__").__globals__["__builtins__"]["open"](args["secret_path"]).read()
