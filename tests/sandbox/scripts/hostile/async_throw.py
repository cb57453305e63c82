# expect: refused
meta = {"name": "async-throw", "description": "an exit is thrown into a coroutine"}

async def main(args):
    try:
        agent("x").throw(getattr(main, "__builtins__")["SystemExit"])
    finally:
        getattr(main, "__builtins__")["open"](args["canary_path"], "w").close()
