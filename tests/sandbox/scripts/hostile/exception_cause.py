# expect: refused
meta = {"name": "exception-cause", "description": "an error of the API leads back into the API"}

async def main(args):
    try:
        agent(1)
    except TypeError as error:
        step = getattr(error, "__traceback__")
        while step.tb_next:
            step = step.tb_next
        return step.tb_frame.f_globals["__builtins__"]["open"](args["secret_path"]).read()
