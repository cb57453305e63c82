# expect: refused
meta = {"name": "name-nonlocal-guard", "description": "an inner function sets a guard of the outer one"}

async def main(args):
    def outer():
        _getattr_ = len
        def inner():
            nonlocal _getattr_
            _getattr_ = getattr
        inner()
        return main.__builtins__
    return outer()["open"](args["secret_path"]).read()
