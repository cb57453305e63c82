"""The same prompt to several providers, each by itself; every answer, in the given order.

`mco run --prompt` runs this. Each provider is a step of its own: one that failed is asked again by the next run, and
those that answered are reused.
"""

import re

meta = {
    "name": "ask-all",
    "description": "One prompt to several providers side by side; all of their answers",
    "phases": [{"title": "Ask", "detail": "each provider by itself"}],
    "args": {
        "type": "object",
        "properties": {
            "prompt": {"type": "string", "minLength": 1, "description": "What is asked"},
            "providers": {
                "type": "array",
                "default": [],
                "maxItems": 16,
                "description": "Who is asked: names, or objects with name, model, access, stall_timeout",
                "items": {
                    "anyOf": [
                        {"type": "string", "minLength": 1},
                        {
                            "type": "object",
                            "properties": {
                                "name": {"type": "string", "minLength": 1},
                                "model": {"type": "string", "minLength": 1},
                                "access": {"enum": ["read", "write", "full"]},
                                "stall_timeout": {
                                    "type": "number",
                                    "exclusiveMinimum": 0,
                                    "maximum": 604800,
                                },
                            },
                            "required": ["name"],
                            "additionalProperties": False,
                        },
                    ]
                },
            },
            "target_paths": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "minItems": 1,
                "default": ["."],
                "description": "What it is about",
            },
            "allow_paths": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "minItems": 1,
                "default": ["."],
                "description": "What may be read or changed for it",
            },
            "timeout": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 604800,
                "description": "Seconds that one provider may take",
            },
            "stall_timeout": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 604800,
                "description": "Seconds that one may be silent",
            },
        },
        "required": ["prompt"],
    },
}


async def main(args):
    phase("Ask")
    answers = await parallel([answer_of(each, args) for each in asked(args["providers"])])
    answers = [each for each in answers if each is not None]
    if not any(each["ok"] for each in answers):
        said = "; ".join(f"{each['provider']}: {each['error']['message']}" for each in answers)
        raise RuntimeError(f"no provider answered: {said}")
    return {"report": write_report(answers), "answers": answers}


def asked(providers):
    """Who is asked: each once, in the given order; without a name whoever answers by default."""
    named = {}
    for each in providers:
        entry = split(each) if isinstance(each, str) else each
        named.setdefault(title_of(entry), entry)
    return list(named.values()) or [None]


def split(name):
    name, _, model = name.partition(":")
    return {"name": name, "model": model} if model else {"name": name}


def title_of(entry):
    return f"{entry['name']}:{entry['model']}" if entry.get("model") else entry["name"]


async def answer_of(entry, args):
    """What one provider answers, or why it does not."""
    name = "default provider" if entry is None else title_of(entry)
    try:
        output = await ask(name, entry or {}, args)
    except AgentError as error:
        failure = {"reason": error.reason, "message": str(error)}
        return {"provider": name, "ok": False, "output": None, "error": failure}
    return {"provider": name, "ok": True, "output": output, "error": None}


async def ask(name, entry, args):
    who = {key: entry[key] for key in ["name", "model"] if entry.get(key)}
    options = {"provider": who} if who else {}
    return await agent(
        args["prompt"] + scope(args),
        **options,
        label=name,
        phase="Ask",
        access=entry.get("access", "read"),
        reads=patterns(args["allow_paths"]),
        timeout=args.get("timeout"),
        stall_timeout=entry.get("stall_timeout", args.get("stall_timeout")),
    )


def scope(args):
    """What the prompt is about and may touch, where somebody said so: a bare prompt goes out as it is."""
    lines = [f"It is about: {listed(args['target_paths'])}"] if args["target_paths"] != ["."] else []
    lines += [f"Look at nothing but: {listed(args['allow_paths'])}"] if args["allow_paths"] != ["."] else []
    return "\n\n" + "\n".join(lines) if lines else ""


def listed(paths):
    return ", ".join("the whole folder" if path == "." else f"`{path}`" for path in paths)


def patterns(paths):
    """What is read, as in .gitignore: an answer is reused until one of these files changes."""
    if "." in paths:
        return ["**"]
    return ["/" + re.sub(r"([\\*?\[\]])", r"\\\1", path) for path in paths]


def write_report(answers):
    """Every answer under its provider's name; a single one as it is."""
    if len(answers) == 1:
        return text_of(answers[0])
    return "\n\n".join(f"# {each['provider']}\n\n{text_of(each)}" for each in answers) + "\n"


def text_of(answer):
    if answer["ok"]:
        return answer["output"].strip()
    return f"*No answer ({answer['error']['reason']}): {' '.join(answer['error']['message'].split())}*"
