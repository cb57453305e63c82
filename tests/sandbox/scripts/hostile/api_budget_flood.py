# expect: contained
meta = {"name": "api-budget-flood", "description": "a budget in each of many turns"}

async def main(args):
    for _ in range(10**9):
        with budget(1):
            pass
