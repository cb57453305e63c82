# returns: {"correctness": "echo:Review . for correctness.", "security": "echo:Review . for security."}
"""Several reviewers side by side, as most workflows are."""
from __future__ import annotations

meta = {
    "name": "review",
    "description": "reviewers side by side",
    "phases": [{"title": "Review"}, {"title": "Merge", "detail": "by name"}],
    "args": {"type": "object", "properties": {"target": {"type": "string", "default": "."}}},
}
ASPECTS = ("correctness", "security")

async def main(args: dict[str, str]) -> dict[str, str]:
    phase("Review")
    target = args.get("target", ".")
    answers = await parallel([lambda a=a: agent(f"Review {target} for {a}.", label=a) for a in ASPECTS])
    phase("Merge")
    return {aspect: answer for aspect, answer in zip(ASPECTS, answers)}
