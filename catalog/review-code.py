"""Three reviewers side by side, then one report: ranked by severity, each fault once and with its place."""

import json
import re

meta = {
    "name": "review-code",
    "description": "Three reviewers (correctness, security, performance), then one ranked report",
    "phases": [
        {"title": "Review", "detail": "three reviewers in parallel"},
        {"title": "Synthesise", "detail": "confirm, merge and rank"},
    ],
    "args": {
        "type": "object",
        "properties": {
            "target": {
                "type": "string",
                "default": ".",
                "description": "File or folder, relative to the workspace",
            },
            "focus": {"type": "string", "default": "", "description": "What models look at in particular"},
            "limit": {
                "type": "integer",
                "default": 15,
                "minimum": 1,
                "maximum": 100,
                "description": "Findings a reviewer",
            },
        },
    },
}

SEVERITIES = ["critical", "high", "medium", "low", "info"]

SCOPES = {
    "correctness": """\
What counts: wrong results, crashes, lost or corrupted data, broken error handling, races and deadlocks, leaked
resources, off-by-one and boundary mistakes, misuse of an API, code that contradicts its own documentation or tests.
What to leave out: formatting, naming, missing comments, matters of taste, hypothetical future requirements, and
anything that the type checker or linter of this project would reject anyway.""",
    "security": """\
What counts: a way for somebody to make the program do, reveal or lose what it should not. Follow data from where it
comes in (requests, files, arguments, environment, other services) to where it has power: commands, queries, paths,
deserialisation, templates, redirects, cryptography, permissions, secrets in code or logs. Name the attacker, the
input and the consequence. What to leave out: missing hardening that no concrete attack needs, findings in tests and
examples, known-safe uses, and dependencies that you have not looked at.""",
    "performance": """\
What counts: work that grows faster than the data, repeated queries or requests in loops, blocking calls on an event
loop, needless copies of large data, unbounded memory, caches that never shrink, locks held while waiting. Estimate
for which size of input it begins to matter. What to leave out: micro-optimisations without measurable effect, code
that runs once at start, tests.""",
}

PROMPT = """\
You are a senior engineer who reviews code for {aspect}. Another reviewer takes care of everything else.

Review `{target}` (relative to the folder you are in). Read the code itself, and what it calls, before you judge.
Do not change any file.

{scope}
{focus}
Evidence: report only what you can point at. For every finding open the file and copy the line into `snippet` exactly
as it stands there; `line` is its number. Before you report it, try to refute it: look for the check, the caller or
the test that makes it harmless. When in doubt, leave it out. Report the same fault once, at its root.

Severity: `critical` data loss, remote code execution or a broken main path; `high` wrong for realistic input, or
exploitable under likely conditions; `medium` wrong in rare cases; `low` worth mending when one is there anyway;
`info` good to know.

Answer with:
- `summary`: two sentences at most on the state of this code with regard to {aspect};
- `findings`: the {limit} gravest at most, gravest first, each with `severity`, `category` "{aspect}", a `title` that
  states the fault (not the topic), `file` relative to the folder you are in, `line`, `column` (1 if you do not know),
  `snippet`, `rule` (a CWE or lint code where one fits, else ""), and `recommendation`: what goes wrong, for which
  input, and the smallest change that mends it;
- `counts`: how many you found of each severity, `total` of them and how many are `shown`;
- `files`: how many files you read;
- `left_out`: what you did not report and how many there were of it, such as more of the same kind;
- `produced_by`: "language model".
No findings is a good answer when there are none.
"""

MERGE = """\
You are the lead of three reviewers. Below are their findings about `{target}`, numbered. Decide about each of them;
you cannot add any. Do not change any file.

For every number give one verdict:
- open the file at the line and read around it; `keep` is true only if the fault is really there and really matters;
- `same_as`: the number of another finding that has the same cause (the clearest of them stands for all), else 0;
- `severity`: the right one, judged across all findings by consequence and likelihood, not by who reported it;
- `why`: one sentence, with what you saw in the code, in particular when you drop or re-rank a finding.
Then write `summary`: three sentences at most for the person who decides whether this code ships: what is worst, what
to mend first, what is in good order.

Findings:
{findings}
"""


def record(**properties):
    """An object with exactly these properties, all required, as the strictest providers want it."""
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


TEXT = {"type": "string", "maxLength": 4000}
COUNT = {"type": "integer", "minimum": 0}
LINE = {"type": "integer", "minimum": 1}
SEVERITY = {"type": "string", "enum": SEVERITIES}
FINDING = record(
    severity=SEVERITY,
    category=TEXT,
    title=TEXT,
    file=TEXT,
    line=LINE,
    column=COUNT,
    snippet=TEXT,
    rule=TEXT,
    recommendation=TEXT,
)
REVIEW = record(
    summary=TEXT,
    findings={"type": "array", "items": FINDING, "maxItems": 200},
    counts=record(**dict.fromkeys([*SEVERITIES, "total", "shown"], COUNT)),
    files=COUNT,
    left_out={"type": "array", "items": record(what=TEXT, count=COUNT)},
    produced_by=TEXT,
)
VERDICT = record(number=LINE, keep={"type": "boolean"}, same_as=COUNT, severity=SEVERITY, why=TEXT)
VERDICTS = record(summary=TEXT, verdicts={"type": "array", "items": VERDICT})


async def main(args):
    target = tidy(args["target"])
    phase("Review")
    reviews = [
        each for each in await parallel([review(name, target, args) for name in SCOPES]) if each is not None
    ]
    done = [each for each in reviews if "failed" not in each]
    if not done:
        reasons = "; ".join(sorted({each["failed"] for each in reviews}))
        raise RuntimeError(f"No reviewer could do its work: {reasons or 'see the log'}")

    phase("Synthesise")
    findings = merge([finding for each in done for finding in each["findings"]])
    judgement = await judge(findings, target)
    kept, aside = settle(judgement["verdicts"], findings)
    counts = {
        severity: len([each for each in kept if each["severity"] == severity]) for severity in SEVERITIES
    }
    counts["left_out"] = sum(each["count"] for each in left_out(done))
    provenance = origin(args["focus"], reviews, judgement)
    return {
        "report": write_report(target, reviews, kept, aside, provenance),
        "findings": kept,
        "counts": counts,
        "reviewers": [row(each) for each in reviews],
    }


def tidy(target):
    """The target without a leading `./` or a trailing slash."""
    cleaned = re.sub(r"^(\./+)+", "", target.strip()).rstrip("/")
    return cleaned or ("/" if target.strip().startswith("/") else ".")


def patterns(target):
    """What a reviewer reads, as in .gitignore: its review is reused until one of these files changes."""
    if target == ".":
        return ["**"]
    return ["/" + re.sub(r"([\\*?\[\]])", r"\\\1", target.lstrip("/"))]


async def review(name, target, args):
    focus = f"\nLook in particular at this: {args['focus']}\n" if args["focus"] else ""
    prompt = PROMPT.format(aspect=name, target=target, scope=SCOPES[name], focus=focus, limit=args["limit"])
    try:
        answer = await agent(
            prompt,
            label=name,
            phase="Review",
            schema=REVIEW,
            reads=patterns(target),
            task={"kind": "review", "target": target, "aspect": name, "limit": args["limit"]},
        )
    except AgentError as error:
        log(f"the {name} review failed: {error}", reason=error.reason)
        return {"reviewer": name, "failed": f"{error} ({error.reason})"}
    for finding in answer["findings"]:
        finding["detected_by"] = [name]
    answer["reviewer"] = name
    return answer


def merge(findings):
    """Each fault once. Of equal ones the gravest stays, and says who else found it."""
    merged = []
    for finding in rank(findings):
        twin = next((each for each in merged if same(each, finding)), None)
        if twin is None:
            merged.append(finding)
        else:
            join(twin, finding)
    return merged


def same(one, other):
    if one["file"] != other["file"] or abs(one["line"] - other["line"]) > 2:
        return False
    if one["line"] == other["line"] and one["rule"] and one["rule"] == other["rule"]:
        return True
    if one["line"] != other["line"] and any(name in one["detected_by"] for name in other["detected_by"]):
        return False  # who names two places means two places
    first, second = words(one["title"]), words(other["title"])
    return len(first & second) >= 0.6 * max(1, len(first | second))


def words(title):
    return set(re.findall(r"\w+", title.casefold()))


def join(twin, finding):
    twin["detected_by"] += [name for name in finding["detected_by"] if name not in twin["detected_by"]]


def rank(findings):
    return sorted(findings, key=lambda each: (SEVERITIES.index(each["severity"]), each["file"], each["line"]))


async def judge(findings, target):
    """A lead's verdicts, where a language model can give them; otherwise none, and why."""
    if not findings:
        return {"verdicts": [], "summary": "", "judged": "yes"}
    listed = [{"number": number, **finding} for number, finding in enumerate(findings, 1)]
    try:
        answer = await agent(
            MERGE.format(target=target, findings=json.dumps(listed, indent=1, ensure_ascii=False)),
            label="report",
            schema=VERDICTS,
            reads=patterns(target),
            capabilities=["text"],
        )
    except AgentError as error:
        if error.reason != "unsupported":
            log(f"the findings were not judged: {error}", reason=error.reason)
        return {"verdicts": [], "summary": "", "judged": error.reason}
    return {**answer, "judged": "yes"}


def settle(verdicts, findings):
    """The findings that stand, ranked anew, and those set aside with the reason. Unjudged ones stand as they are."""
    known = {each["number"]: each for each in verdicts if each["number"] <= len(findings)}
    kept, aside = {}, []
    for number, finding in enumerate(findings, 1):
        verdict = known.get(number)
        if verdict is not None and not verdict["keep"]:
            aside.append({**finding, "why": verdict["why"]})
        else:
            severity = finding["severity"] if verdict is None else verdict["severity"]
            kept[number] = {**finding, "severity": severity}
    for number, verdict in known.items():
        twin = verdict["same_as"]
        # Only towards a finding that itself stands for a cause: two that point at each other must not both vanish.
        if number in kept and twin in kept and twin != number and known.get(twin, {}).get("same_as", 0) == 0:
            join(kept[twin], kept.pop(number))
    return rank(kept.values()), aside


def left_out(done):
    return [
        {**each, "reviewer": one["reviewer"]} for one in done for each in one["left_out"] if each["count"]
    ]


def row(one):
    names = ["reviewer", "failed", "summary", "files", "counts", "produced_by"]
    return {name: one[name] for name in names if name in one}


def write_report(target, reviews, kept, aside, provenance):
    done = [each for each in reviews if "failed" not in each]
    files = max(each["files"] for each in done)
    who = ", ".join(each["reviewer"] for each in done)
    parts = [
        f"# Code review of {code(target)}",
        f"**{amount(len(kept), 'finding')}** in {amount(files, 'file')}, reviewed for {who}.",
        "\n>\n".join("> " + line for line in provenance if line),
        table(done, kept),
    ]
    for severity in SEVERITIES:
        group = [entry(each) for each in kept if each["severity"] == severity]
        parts.extend([f"## {severity.capitalize()}", *group] if group else [])
    omitted = [f"{each['count']} × {plain(each['what'])} ({each['reviewer']})" for each in left_out(done)]
    parts += section(
        "Set aside after a second look", [f"{title(each)}: {plain(each['why'])}" for each in aside]
    )
    parts += section("Left out", omitted)
    parts += section("Reviewers", [f"**{each['reviewer']}**: {plain(said(each))}" for each in reviews])
    return "\n\n".join(part for part in parts if part) + "\n"


def said(one):
    return f"failed: {one['failed']}" if "failed" in one else one["summary"]


def origin(focus, reviews, judgement):
    """What a reader must know before trusting the rest."""
    lines = [
        f"**The {each['reviewer']} review is missing**: {plain(each['failed'])}"
        for each in reviews
        if "failed" in each
    ]
    tools = {each.get("produced_by", "") for each in reviews}
    for tool in sorted(tool.split(",")[0] for tool in tools if "no language model" in tool):
        lines.append(
            f"No language model was used: these are findings of static analysis ({plain(tool)}), to be looked at."
        )
        lines.append(f"The focus ({plain(focus)}) was not heeded: static analysis cannot." if focus else "")
    if judgement["judged"] not in ["yes", "unsupported"]:
        lines.append(f"The findings were merged by rule and not judged ({judgement['judged']}).")
    return [*lines, plain(judgement["summary"])]


def table(done, kept):
    lines = ["| Severity | Found | Shown |", "|---|---:|---:|"]
    for severity in SEVERITIES:
        found = sum(each["counts"][severity] for each in done)
        shown = len([each for each in kept if each["severity"] == severity])
        lines += [f"| {severity} | {found} | {shown} |"] if found or shown else []
    return "\n".join(lines) if len(lines) > 2 else ""


def entry(finding):
    also = [name for name in finding["detected_by"] if name != finding["category"]]
    facts = [finding["category"], finding["rule"], f"also found by {' and '.join(also)}" if also else ""]
    parts = [
        title(finding),
        fenced(finding["snippet"], "python" if finding["file"].endswith(".py") else ""),
        f"{plain(finding['recommendation'])} *({plain(', '.join(fact for fact in facts if fact))})*",
    ]
    return "\n\n".join(part for part in parts if part)


def title(finding):
    return f"**{plain(finding['title'])}** — {code(finding['file'] + ':' + str(finding['line']))}"


def section(heading, items):
    return [f"## {heading}", "\n".join(f"- {item}" for item in items)] if items else []


def amount(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count or 'no'} {noun}s"


def plain(prose):
    """Text of others on one line, its Markdown and HTML taken literally except for `code`."""
    pieces = " ".join(prose.split()).split("`")
    if len(pieces) % 2 == 0:
        pieces = ["'".join(pieces)]
    escaped = [re.sub(r"([\\*_\[\]<>|#])", r"\\\1", piece) for piece in pieces]
    return "`".join(pieces[n] if n % 2 else escaped[n] for n in range(len(pieces)))


def code(value):
    return "`" + " ".join(value.replace("`", "'").split()) + "`"


def fenced(source, language):
    fence = "`" * (max([2] + [len(run) for run in re.findall(r"`+", source)]) + 1)
    return f"{fence}{language}\n{source}\n{fence}" if source.strip() else ""
