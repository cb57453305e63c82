# expect: refused
meta = {"name": "class-lying-text", "description": "text that is another text when it is looked at again"}

async def main(args):
    class Name(str):
        def startswith(self, *_):
            return False
    return getattr(main, Name("__builtins__"))["open"](args["secret_path"]).read()
