# expect: contained
meta = {"name": "exception-bare-keeps-going", "description": "a handler of everything around a memory hog"}

async def main(args):
    kept = []
    while True:
        try:
            kept.append("x" * 1_000_000 + str(len(kept)))
        except:
            pass
