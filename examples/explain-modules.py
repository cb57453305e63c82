"""A pipeline without a barrier: every module is explained, checked and shortened on its own way."""

meta = {
    "name": "explain-modules",
    "description": "Explains each module for a newcomer, with a second look at every explanation",
    "args": {
        "type": "object",
        "properties": {"modules": {"type": "array", "items": {"type": "string"}, "minItems": 1}},
        "required": ["modules"],
    },
}


async def explain(module):
    return await agent(
        f"Explain {module} to a newcomer.", label=f"explain {module}", phase="Explain", reads=[module]
    )


async def check(explanation, module):
    return await agent(
        f"Correct what is wrong in this explanation of {module}:\n{explanation}",
        label=f"check {module}",
        phase="Check",
        reads=[module],
    )


def entry(checked, module, index):
    return f"{index + 1}. **{module}**: {checked}"


async def main(args):
    entries = await pipeline(args["modules"], explain, check, entry)
    missing = [module for module, found in zip(args["modules"], entries, strict=True) if found is None]
    if missing:
        log("some modules could not be explained", modules=missing)
    return {"report": "\n".join(found for found in entries if found is not None), "missing": missing}
