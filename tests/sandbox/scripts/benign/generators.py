# returns: [[0, 1, 1, 2, 3, 5], ["a0", "b1"], {"even": [0, 2], "odd": [1, 3]}, "echo:x"]
"""Generators, closures, nonlocal, sorting, try and finally."""
meta = {"name": "generators", "description": "ordinary Python"}

def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        yield a
        a, b = b, a + b

async def main(args):
    async def numbered(items):
        for index, item in enumerate(items):
            yield f"{item}{index}"

    groups = {}
    for n in range(4):
        groups.setdefault("odd" if n % 2 else "even", []).append(n)
    answer = None

    async def remember(prompt):
        nonlocal answer
        try:
            answer = await agent(prompt)
        finally:
            log("asked", prompt=prompt)

    await remember("x")
    return [list(fibonacci(6)), [x async for x in numbered("ab")], groups, answer]
