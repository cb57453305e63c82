# expect: refused
meta = {"name": "name-compatibility-letters", "description": "letters that Python reads as plain ones"}

async def main(args):
    return __ｂuiltins__["open"](args["secret_path"]).read()
