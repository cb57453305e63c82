"""Three samples of one question, and the answer that most of them gave.

Three equal calls are three samples: each keeps a key of its own, so running this again reuses the same three.
"""

from collections import Counter

meta = {
    "name": "best-of-three",
    "description": "Asks the same thing three times and counts",
    "args": {
        "type": "object",
        "properties": {"question": {"type": "string"}},
        "required": ["question"],
    },
}

VERDICT = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no", "unclear"]}, "why": {"type": "string"}},
    "required": ["answer", "why"],
}


async def main(args):
    prompt = f"{args['question']} Answer yes, no or unclear, and say why."
    samples = await parallel([lambda: agent(prompt, schema=VERDICT, label="sample") for _ in range(3)])
    given = [sample for sample in samples if sample is not None]
    if not given:
        raise RuntimeError("none of the three samples was answered")
    winner, votes = Counter(sample["answer"] for sample in given).most_common(1)[0]
    return {
        "answer": winner,
        "votes": f"{votes} of {len(given)}",
        "reasons": [sample["why"] for sample in given if sample["answer"] == winner],
    }
