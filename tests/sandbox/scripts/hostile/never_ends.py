# expect: contained
meta = {"name": "never-ends", "description": "a loop that swallows everything"}

async def main(args):
    while True:
        try:
            await agent(1)
        except Exception:
            pass
