# expect: contained
meta = {"name": "api-parallel-recursion", "description": "parallel that starts itself twice as often"}

async def main(args):
    async def more():
        return await parallel([more, more])
    return await more()
