# expect: refused
meta = {"name": "name-decorator", "description": "a decorator turns a function into its builtins"}

async def main(args):
    @(lambda function: function.__builtins__)
    def names():
        pass
    return names["open"](args["secret_path"]).read()
