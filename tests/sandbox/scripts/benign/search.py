# returns: [["echo:q1", 3], ["echo:q2", 3], "2 of 2"]
"""A pipeline with stages of one, two and three parameters, and a loop until done."""
import json
import re
from collections import Counter

meta = {"name": "search", "description": "ask, count, sum up"}

def words(text):
    return Counter(re.findall(r"\w", text))

async def main(args):
    async def ask(question):
        return await agent(question)

    found = await pipeline(
        ["q1", "q2"],
        ask,
        lambda answer, question: {"q": question, "a": answer},
        lambda pair, question, index: [pair["a"], len(words(pair["q"])) + 1],
    )
    done = sum(1 for each in found if each is not None)
    found.append(json.loads(json.dumps("%d of %d" % (done, len(found)))))
    return found
