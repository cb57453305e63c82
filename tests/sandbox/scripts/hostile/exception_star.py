# expect: refused
meta = {"name": "exception-star", "description": "a group of errors and its parts"}

async def main(args):
    try:
        raise ValueError(1)
    except* ValueError as group:
        return group.exceptions[0].__traceback__.tb_frame.f_builtins["open"](args["secret_path"]).read()
