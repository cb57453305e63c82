"""Several providers review the same code, each by itself; their findings are merged, and one decision is made.

`mco review` runs this. Each provider is a step of its own: one that failed is asked again by the next run, and those
that answered are reused.
"""

import re

meta = {
    "name": "review",
    "description": "Several providers review the same code; one list of findings, and one decision",
    "phases": [
        {"title": "Review", "detail": "each provider by itself"},
        {"title": "Decide", "detail": "merge, rank, decide"},
    ],
    "args": {
        "type": "object",
        "properties": {
            "prompt": {"type": "string", "default": "", "description": "What to look for"},
            "providers": {
                "type": "array",
                "default": [],
                "maxItems": 16,
                "description": "Who reviews: names, or objects with name, model, access, stall_timeout",
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
                "description": "What is reviewed",
            },
            "allow_paths": {
                "type": "array",
                "items": {"type": "string", "minLength": 1},
                "minItems": 1,
                "default": ["."],
                "description": "What may be read for it",
            },
            "strict_contract": {
                "type": "boolean",
                "default": False,
                "description": "A finding must have all its fields",
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
    },
}

SEVERITIES = ["critical", "high", "medium", "low", "info"]
ASPECTS = ["correctness", "security", "performance"]

WISH = """\
Review this code for faults that matter: wrong results, crashes, lost data, security holes, resources that leak, work
that grows too fast, and tests that are missing where a fault would go unnoticed. Leave out formatting and taste."""

PROMPT = """\
{wish}

Review: {targets}
You may read: {allowed}
Both are relative to the folder you are in. Do not change any file.

Evidence: report only what you can point at. Open the file, copy the line into `snippet` exactly as it stands there, and
give its number. Before you report a fault, try to refute it: look for the check, the caller or the test that makes it
harmless. When in doubt, leave it out. Report the same fault once, at its root.

Severity: `critical` data loss, remote code execution or a broken main path; `high` wrong for realistic input, or
exploitable under likely conditions; `medium` wrong in rare cases; `low` worth mending when one is there anyway;
`info` good to know.

Answer with `summary` (two sentences at most) and `findings`, gravest first, each with `severity`, `category` (`bug`,
`security`, `performance`, `maintainability` or `test-gap`), a `title` that states the fault (not the topic), `file`
relative to the folder you are in, `line`, `symbol` (the function or class it is in), `snippet`, `recommendation` (what
goes wrong, for which input, and the smallest change that mends it), and `confidence` from 0 to 1. `line` and `symbol`
are null where there is none. No findings is a good answer when there are none.
"""

TEXT = {"type": "string"}
FIELDS = {
    "severity": {"type": "string", "enum": SEVERITIES},
    "category": TEXT,
    "title": TEXT,
    "file": TEXT,
    "line": {"type": ["integer", "null"], "minimum": 0},
    "symbol": {"type": ["string", "null"]},
    "snippet": TEXT,
    "recommendation": TEXT,
    "confidence": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
}


def contract(**finding):
    """The schema of an answer whose findings are as `finding` says."""
    findings = {
        "type": "array",
        "maxItems": 500,
        "items": {"type": "object", "properties": FIELDS, **finding},
    }
    return {"type": "object", "properties": {"summary": TEXT, "findings": findings}}


# Every object names and requires all it has: some providers keep to that by themselves, and to nothing less.
STRICT = {
    **contract(required=list(FIELDS), additionalProperties=False),
    "required": ["summary", "findings"],
    "additionalProperties": False,
}
LENIENT = {**contract(required=["severity", "title"]), "required": ["findings"]}


async def main(args):
    phase("Review")
    reviews = await parallel([review(each, args) for each in reviewers(args["providers"])])
    reviews = [each for each in reviews if each is not None]

    phase("Decide")
    findings = merge(reviews)
    decision, reason = decide(findings, reviews, args["strict_contract"])
    log(f"{decision}: {reason}")
    return {
        "decision": decision,
        "reason": reason,
        "report": write_report(decision, reason, findings, reviews, args),
        "findings": findings,
        "counts": {severity: count(findings, severity) for severity in SEVERITIES},
        "reviews": reviews,
    }


def reviewers(providers):
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


async def review(entry, args):
    """What one provider makes of it: its findings, or why there are none."""
    if entry is not None and entry["name"] == "builtin":
        return await analyse(args)
    name = "default provider" if entry is None else title_of(entry)
    try:
        answer = await ask(name, entry or {}, args)
    except AgentError as error:
        if entry is None and error.reason == "unsupported":
            return await analyse(args)  # whoever answers by default has no language model
        return outcome(name, error={"reason": error.reason, "message": str(error)})
    return outcome(name, answer["findings"], answer.get("summary", ""))


async def ask(name, entry, args):
    wish = args["prompt"].strip() or WISH
    prompt = PROMPT.format(
        wish=wish, targets=listed(args["target_paths"]), allowed=listed(args["allow_paths"])
    )
    who = {key: entry[key] for key in ["name", "model"] if entry.get(key)}
    options = {"provider": who} if who else {"capabilities": ["text"]}
    return await agent(
        prompt,
        **options,
        label=name,
        phase="Review",
        schema=STRICT if args["strict_contract"] else LENIENT,
        access=entry.get("access", "read"),
        reads=patterns(args["allow_paths"]),
        timeout=args.get("timeout"),
        stall_timeout=entry.get("stall_timeout", args.get("stall_timeout")),
    )


async def analyse(args):
    """Static analysis in place of a language model: every target under every aspect."""
    jobs = [(target, aspect) for target in args["target_paths"] for aspect in ASPECTS]
    parts = await parallel([examine(target, aspect, args) for target, aspect in jobs])
    lost = [each["error"] for each in parts if "error" in each]
    if len(lost) == len(parts):
        return outcome("builtin", error=lost[0])
    done = [each for each in parts if "error" not in each]
    return outcome(
        "builtin",
        [finding for each in done for finding in each["findings"]],
        f"No language model was used: {done[0]['produced_by'].split(',')[0]}, static analysis of Python code.",
        missing=sorted({each["message"] for each in lost}),
    )


async def examine(target, aspect, args):
    try:
        return await agent(
            f"Review {target} for {aspect}.",
            label=f"builtin: {aspect}" if args["target_paths"] == ["."] else f"builtin: {aspect} of {target}",
            phase="Review",
            provider="builtin",
            schema=LENIENT,
            reads=patterns([target]),
            timeout=args.get("timeout"),
            stall_timeout=args.get("stall_timeout"),
            task={"kind": "review", "target": target, "aspect": aspect, "limit": 200},
        )
    except AgentError as error:
        return {"error": {"reason": error.reason, "message": str(error)}}


def patterns(paths):
    """What is read, as in .gitignore: a review is reused until one of these files changes."""
    if "." in paths:
        return ["**"]
    return ["/" + re.sub(r"([\\*?\[\]])", r"\\\1", path) for path in paths]


def listed(paths):
    return ", ".join("the whole folder" if path == "." else f"`{path}`" for path in paths)


def outcome(name, findings=(), summary="", error=None, missing=()):
    return {
        "provider": name,
        "ok": error is None,
        "summary": summary,
        "findings": [normal(each, name) for each in findings],
        "error": error,
        "missing": list(missing),
    }


def normal(given, name):
    """A finding in one form, whoever wrote it."""
    places = ["file", "line", "column", "symbol", "snippet"]
    evidence = {place: given[place] for place in places if given.get(place) is not None}
    return {
        "severity": given["severity"],
        "category": given.get("category") or "general",
        "title": given["title"],
        "evidence": {"file": "", "line": None, **evidence},
        "rule": given.get("rule") or "",
        "recommendation": given.get("recommendation") or "",
        "confidence": given.get("confidence"),
        "detected_by": [name],
    }


def merge(reviews):
    """Each fault once, gravest first. Equal ones keep the gravest severity and the highest confidence."""
    merged = {}
    for finding in [each for one in reviews for each in one["findings"]]:
        twin = merged.setdefault(identity(finding), {**finding, "detected_by": []})
        twin["detected_by"] = list(dict.fromkeys(twin["detected_by"] + finding["detected_by"]))
        twin["severity"] = min(twin["severity"], finding["severity"], key=SEVERITIES.index)
        said = [each["confidence"] for each in (twin, finding) if each["confidence"] is not None]
        twin["confidence"] = max(said) if said else None
    answered = len([each for each in reviews if each["ok"]])
    for finding in merged.values():
        finding["agreement"] = round(len(finding["detected_by"]) / answered, 2)
    return sorted(merged.values(), key=rank)


def identity(finding):
    words = [finding["category"], finding["title"], finding["evidence"]["file"]]
    return (*[" ".join(word.casefold().split()) for word in words], finding["evidence"]["line"])


def rank(finding):
    place = finding["evidence"]
    return (
        SEVERITIES.index(finding["severity"]),
        -len(finding["detected_by"]),
        place["file"],
        place["line"] or 0,
        finding["title"],
    )


def count(findings, severity):
    return len([each for each in findings if each["severity"] == severity])


def decide(findings, reviews, strict):
    """The decision and why: the first that applies. Who answered nothing has not said that all is well."""
    failed = [each["provider"] for each in reviews if not each["ok"]]
    if count(findings, "critical"):
        return "FAIL", amount(count(findings, "critical"), "critical finding")
    if count(findings, "high"):
        return "ESCALATE", f"{amount(count(findings, 'high'), 'high finding')}: a person has to decide"
    if len(failed) == len(reviews):
        return "INCONCLUSIVE" if strict else "FAIL", "no provider gave a review"
    if failed:
        return (
            "PARTIAL",
            f"{amount(len(failed), 'provider')} of {len(reviews)} gave no review: {', '.join(failed)}",
        )
    if any(each["missing"] for each in reviews):
        return "PARTIAL", "a part could not be reviewed"
    return "PASS", "no critical and no high finding"


def write_report(decision, reason, findings, reviews, args):
    parts = [f"# Review: {decision}", plain(reason[:1].upper() + reason[1:]) + "."]
    parts.append(f"**{amount(len(findings), 'finding')}** in {listed(args['target_paths'])}.")
    parts.append("\n".join(["| Provider | Review |", "|---|---|", *[row(each) for each in reviews]]))
    for severity in SEVERITIES:
        group = [entry(each, len(reviews)) for each in findings if each["severity"] == severity]
        parts += [f"## {severity.capitalize()}", *group] if group else []
    missing = [f"- {plain(each)}" for one in reviews for each in one["missing"]]
    parts += ["## Not reviewed", "\n".join(missing)] if missing else []
    return "\n\n".join(parts) + "\n"


def row(one):
    said = one["summary"] or amount(len(one["findings"]), "finding")
    said = said if one["ok"] else f"failed ({one['error']['reason']}): {one['error']['message']}"
    return f"| {plain(one['provider'])} | {plain(said)} |"


def entry(finding, asked):
    place = finding["evidence"]
    where = code(f"{place['file']}:{place['line']}" if place["line"] else place["file"])
    facts = [finding["category"], finding["rule"]]
    facts += [f"found by {', '.join(finding['detected_by'])}"] if asked > 1 else []
    parts = [
        f"**{plain(finding['title'])}**" + (f" — {where}" if place["file"] else ""),
        fenced(place.get("snippet", "")),
        f"{plain(finding['recommendation'])} *({plain(', '.join(fact for fact in facts if fact))})*".strip(),
    ]
    return "\n\n".join(part for part in parts if part)


def amount(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number or 'no'} {noun}s"


def plain(prose):
    """Text of others on one line, its Markdown and HTML taken literally except for `code`."""
    pieces = " ".join(prose.split()).split("`")
    if len(pieces) % 2 == 0:
        pieces = ["'".join(pieces)]
    escaped = [re.sub(r"([\\*_\[\]<>|#])", r"\\\1", piece) for piece in pieces]
    return "`".join(pieces[n].replace("|", "\\|") if n % 2 else escaped[n] for n in range(len(pieces)))


def code(value):
    return "`" + " ".join(value.replace("`", "'").split()) + "`"


def fenced(source):
    fence = "`" * (max([2] + [len(run) for run in re.findall(r"`+", source)]) + 1)
    return f"{fence}\n{source}\n{fence}" if source.strip() else ""
