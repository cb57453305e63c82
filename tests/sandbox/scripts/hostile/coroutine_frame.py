# expect: refused
meta = {"name": "coroutine-frame", "description": "walk from a coroutine to the builtins"}

async def main(args):
    frame = getattr(agent("x"), "cr_frame")
    return frame.f_builtins["open"](args["secret_path"]).read()
