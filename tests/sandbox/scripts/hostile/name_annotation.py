# expect: refused
meta = {"name": "name-annotation", "description": "an annotation is an expression that Python runs"}

async def main(args):
    def write(value: open(args["canary_path"], "w") = 1):
        return value
    return write()
