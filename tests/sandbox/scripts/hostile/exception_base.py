# expect: refused
meta = {"name": "exception-base", "description": "nothing gets past a handler of everything"}

async def main(args):
    while True:
        try:
            open(args["canary_path"], "w").close()
            return 1
        except BaseException:
            continue
