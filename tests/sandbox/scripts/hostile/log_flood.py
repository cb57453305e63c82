# expect: contained
meta = {"name": "log-flood", "description": "more lines than anybody reads"}

async def main(args):
    while True:
        log("x" * 1000)
