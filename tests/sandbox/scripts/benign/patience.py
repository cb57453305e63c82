# returns: {"answers": ["echo:a", "echo:b", null], "tried": 4, "kept": ["a", "b"], "total": 500, "left": "done"}
"""Retries, budgets, clean-up in finally, and generators that are closed early."""
import itertools

meta = {"name": "patience", "description": "try, try again, then clean up"}
tried = 0


async def ask(prompt, attempts=2):
    global tried
    for attempt in range(1, attempts + 1):
        tried += 1
        try:
            if prompt == "c":
                raise ValueError("not this one", attempt)
            return await agent(prompt, label=f"{prompt}-{attempt}")
        except (AgentError, ValueError) as error:
            log("failed", attempt=attempt, why=str(error.args[0]))
    return None


def numbers(kept):
    try:
        yield from itertools.count()
    finally:
        kept.append("closed")


async def main(args):
    kept, closed = [], []
    with budget(tokens=500) as small:
        answers = await parallel([lambda p=p: ask(p) for p in "abc"])
    for prompt, answer in zip("abc", answers):
        match answer:
            case str():
                kept += [prompt]
            case None:
                continue
    for number in numbers(closed):
        if number > 3:
            break
    state = "waiting"
    try:
        state = "done"
        return {"answers": answers, "tried": tried, "kept": kept, "total": small.total, "left": state}
    finally:
        state = "gone"
