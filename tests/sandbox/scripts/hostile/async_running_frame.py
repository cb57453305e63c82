# expect: refused
meta = {"name": "async-running-frame", "description": "a coroutine finds itself in a list, running"}

async def main(args):
    found = []
    async def me():
        frame = found[0].cr_frame
        while frame:
            names, frame = frame.f_builtins, frame.f_back
        return names["open"](args["secret_path"]).read()
    found.append(me())
    return await found[0]
