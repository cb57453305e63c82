# expect: refused
meta = {"name": "name-global-guard", "description": "a function declares a guard global and sets it"}

async def main(args):
    def set_it():
        global _getattr_
        _getattr_ = getattr
    set_it()
    return main.__builtins__["open"](args["secret_path"]).read()
