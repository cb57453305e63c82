# expect: refused
meta = {"name": "name-walrus-default", "description": "a default value binds a guard at the top level"}

def harmless(value=(_getattr_ := getattr)):
    return value

async def main(args):
    return main.__builtins__["open"](args["secret_path"]).read()
