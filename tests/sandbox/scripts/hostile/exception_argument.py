# expect: refused
meta = {"name": "exception-argument", "description": "an error brings a function past the guard"}

async def main(args):
    try:
        raise KeyError(main)
    except KeyError as error:
        return getattr(error.args[0], "__builtins__")["open"](args["secret_path"]).read()
