# expect: refused
meta = {"name": "exception-with-traceback", "description": "an error hands itself on with its frames"}

async def main(args):
    try:
        1 / 0
    except ZeroDivisionError as error:
        step = getattr(error.with_traceback(getattr(error, "__traceback__")), "__traceback__")
        return step.tb_frame.f_builtins["open"](args["secret_path"]).read()
