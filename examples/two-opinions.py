"""The smallest useful shape: two agents side by side, then one that weighs what they said."""

meta = {
    "name": "two-opinions",
    "description": "One argument for, one against, and a verdict",
    "phases": [{"title": "Argue"}, {"title": "Weigh"}],
    "args": {
        "type": "object",
        "properties": {"claim": {"type": "string", "default": "Tests should be written first."}},
    },
}


async def main(args):
    claim = args["claim"]

    phase("Argue")
    pro, contra = await parallel(
        [
            lambda: agent(f"Argue in three sentences for this claim: {claim}", label="for", reads=[]),
            lambda: agent(f"Argue in three sentences against this claim: {claim}", label="against", reads=[]),
        ]
    )

    phase("Weigh")
    # reads=[]: the verdict depends on the two texts in its prompt, not on any file.
    return await agent(
        f"Claim: {claim}\n\nFor:\n{pro}\n\nAgainst:\n{contra}\n\nGive a verdict in one sentence.",
        label="verdict",
        reads=[],
    )
