# expect: refused
meta = {"name": "match-builtin-subject", "description": "a pattern takes the insides of a coroutine"}

async def main(args):
    match agent("x"):
        case object(cr_frame=object(f_builtins=names)):
            return names["open"](args["secret_path"]).read()
