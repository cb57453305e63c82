# expect: contained
meta = {"name": "api-prompt-of-agent-repr", "description": "what an API function looks like as text"}

async def main(args):
    return [await agent(repr(each)) for each in (agent, budget, main, agent("x"))] and 1
