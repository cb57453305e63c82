"""Answers a question from sources that can be checked: every claim with its place, every quote word for word."""

import json
import re

meta = {
    "name": "deep-research",
    "description": "A question, searched, fetched, verified and answered: every claim with its source",
    "phases": [
        {"title": "Scope", "detail": "into sub-questions"},
        {"title": "Search", "detail": "sources for each"},
        {"title": "Fetch", "detail": "what stands around them"},
        {"title": "Verify", "detail": "quotes word for word"},
        {"title": "Synthesise", "detail": "an answer, or the evidence"},
    ],
    "args": {
        "type": "object",
        "properties": {
            "question": {"type": "string", "minLength": 3, "description": "What you want to know"},
            "target": {
                "type": "string",
                "default": ".",
                "description": "File or folder, relative to the workspace",
            },
            "depth": {
                "type": "integer",
                "default": 4,
                "minimum": 1,
                "maximum": 12,
                "description": "Sub-questions",
            },
            "sources": {
                "type": "integer",
                "default": 6,
                "minimum": 1,
                "maximum": 20,
                "description": "For each of them",
            },
        },
        "required": ["question"],
    },
}

SCOPE = """\
You plan research for a team that will answer this question from the files in `{target}`:

{question}

Look over what is there (names, headings, introductions) just long enough to know its vocabulary. Then break the
question into at most {depth} sub-questions. Together they must cover it; each must be answerable on its own from
written sources, must not overlap with another, and must use the words that these files use. A simple question needs
one. Leave out background that the asker plainly knows.
"""

SEARCH = """\
You are a researcher. Find the passages in `{target}` (relative to the folder you are in) that answer this:

{query}

It is a part of a larger question: {question}

What counts: statements that answer it in whole or in part, that limit an answer, or that contradict one; what is
specified or measured before what is intended; documentation and comments for reasons, code for facts. What to leave
out: tables of contents, passages that only mention the topic, what is generated, and your own knowledge.
Search with several wordings (synonyms, identifiers, abbreviations) before you conclude that something is missing.

Give the {limit} best sources at most, best first, at most two of one file: `file` relative to the folder you are in,
`line` where the quote begins, `quote` copied character by character from the file (one to three sentences, or up to
six lines of code; no ellipsis, no correction), `score` from 0 to 10 for how much of the answer it carries, and
`heading`, the title it stands under or "". Quotes are compared with the files by a program: one that is not there
word for word is lost. `files_searched` is how many files you looked at, `query` the sub-question, and `produced_by`
is "language model". No sources is the right answer when there are none.
"""

FETCH = """\
For each of these places read {context} lines before and after it, and copy them into `text` exactly as they stand,
with `file` and the first and last line (`start`, `end`), in the same order. `produced_by` is "language model".

{places}
"""

VERIFY = """\
You check quotations and trust nobody. For each quote below open the file and compare word by word (white space does
not matter). `verified` is true only if exactly these words stand there; correct `line` if they stand elsewhere in the
same file; never correct the quote. `why` says what you saw, in one sentence. `produced_by` is "language model".

{quotes}
"""

ANSWER = """\
You write the answer to a question from verified sources only. You have no other knowledge and look at no files.

Question: {question}

Every statement you make is a claim with the numbers of the sources that carry it. Rules:
- a claim says no more than its sources: keep their conditions, numbers and doubts; several sources only where each
  adds something; no claim without a source;
- where sources contradict each other, say so in a claim that cites both;
- `answer` has the direct answer first (one to four claims); `sections` have what supports and qualifies it, a heading
  each, in the order in which a reader asks;
- `gaps` names what was asked and is not answered by these sources, and what would answer it.
Write for somebody who will act on it: plain, exact, no filler.

Sources (number, place, quote, and the passage around it):
{sources}
"""

CHECK = """\
You are an independent checker. Each claim below cites quotes. Judge every claim by its quotes alone: `supported` is
true only if somebody who reads nothing else would have to agree with the whole claim. A claim that generalises,
drops a condition or adds a cause is not supported. `why` says in one sentence what is missing, or "".

{claims}
"""


def record(**properties):
    """An object with exactly these properties, all required, as the strictest providers want it."""
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def many(item):
    return {"type": "array", "items": item, "maxItems": 200}


TEXT = {"type": "string", "maxLength": 20000}
NUMBER = {"type": "integer", "minimum": 1}
COUNT = {"type": "integer", "minimum": 0}
FLAG = {"type": "boolean"}
SOURCE = record(file=TEXT, line=NUMBER, quote=TEXT, score={"type": "number"}, heading=TEXT)
SOURCES = record(query=TEXT, sources=many(SOURCE), files_searched=COUNT, produced_by=TEXT)
PASSAGES = record(passages=many(record(file=TEXT, start=NUMBER, end=NUMBER, text=TEXT)), produced_by=TEXT)
CHECKED = record(
    checked=many(record(file=TEXT, line=NUMBER, quote=TEXT, verified=FLAG, why=TEXT)), produced_by=TEXT
)
CLAIM = record(text=TEXT, sources=many(NUMBER))
ANSWERED = record(
    answer=many(CLAIM), sections=many(record(heading=TEXT, claims=many(CLAIM))), gaps=many(TEXT)
)
JUDGED = record(verdicts=many(record(number=NUMBER, supported=FLAG, why=TEXT)))


async def main(args):
    question, target, limit = args["question"].strip(), args["target"], args["sources"]
    phase("Scope")
    queries = await scope(question, target, args["depth"])
    log("asked as one question" if len(queries) == 1 else f"{len(queries)} sub-questions", queries=queries)

    results = await pipeline(
        queries,
        lambda query: find(query, question, target, limit),
        lambda found: fetch(found, target),
        lambda found: verify(found, target),
    )
    groups = [each for each in results if each is not None]
    sources = number(groups)
    if not sources:
        raise RuntimeError(nothing(groups, target))

    phase("Synthesise")
    answer = await write(question, sources)
    return {
        "report": report(question, target, groups, sources, answer),
        "sources": [{name: source[name] for name in source if name != "passage"} for source in sources],
        "questions": queries,
        "answer": answer,
    }


async def find(query, question, target, limit):
    prompt = SEARCH.format(target=target, query=query, question=question, limit=limit)
    task = {"kind": "search", "query": query, "target": target, "limit": limit}
    try:
        found = await look("Search", query, prompt, target=target, task=task, schema=SOURCES)
    except AgentError as error:
        log(f"nothing was searched for {query!r}: {error}", reason=error.reason)
        return {"query": query, "sources": [], "files": 0, "failed": f"{error} ({error.reason})"}
    tool = found["produced_by"] if "no language model" in found["produced_by"] else ""
    return {"query": query, "sources": found["sources"], "files": found["files_searched"], "tool": tool}


async def fetch(found, target):
    """The sources with the passage that each stands in; the quotes stand on their own where that cannot be had."""
    places = [{"file": each["file"], "line": each["line"]} for each in found["sources"]]
    if not places:
        return found
    prompt = FETCH.format(context=12, places=listed(places))
    task = {"kind": "fetch", "places": places, "context": 12}
    try:
        fetched = await exactly("Fetch", found["query"], prompt, target=target, task=task, schema=PASSAGES)
    except AgentError as error:
        log(f"no passages were fetched for {found['query']!r}: {error}", reason=error.reason)
        return found
    sources = [{**source, "passage": around(source, fetched["passages"])} for source in found["sources"]]
    return {**found, "sources": sources}


def around(source, passages):
    for each in passages:
        if each["file"] == source["file"] and each["start"] <= source["line"] <= each["end"]:
            return each["text"]
    return ""


async def verify(found, target):
    """Only the sources whose quotes stand in their files; the others are `lost`, each with the reason."""
    quotes = [{name: each[name] for name in ["file", "line", "quote"]} for each in found["sources"]]
    if not quotes:
        return {**found, "lost": []}
    prompt, task = VERIFY.format(quotes=listed(quotes)), {"kind": "verify", "quotes": quotes}
    try:
        answer = await exactly("Verify", found["query"], prompt, target=target, task=task, schema=CHECKED)
    except AgentError as error:
        log(f"the quotes for {found['query']!r} were not verified: {error}", reason=error.reason)
        return {**found, "sources": [], "lost": [{**each, "why": "could not be checked"} for each in quotes]}
    checks = {(each["file"], each["quote"]): each for each in answer["checked"]}
    unchecked = {"verified": False, "why": "was not checked", "line": 0}
    judged = [(each, checks.get((each["file"], each["quote"]), unchecked)) for each in found["sources"]]
    good = [{**source, "line": check["line"]} for source, check in judged if check["verified"]]
    lost = [{**source, "why": check["why"]} for source, check in judged if not check["verified"]]
    return {**found, "sources": good, "lost": lost}


def patterns(target):
    """What a step reads, as in .gitignore: it is reused until one of these files changes."""
    path = re.sub(r"^(\./+)+", "", target.strip()).strip("/")
    return ["**"] if path in ["", "."] else ["/" + re.sub(r"([\\*?\[\]])", r"\\\1", path)]


async def look(title, query, prompt, *, target, **options):
    label = f"{title.lower()}: {query if len(query) <= 60 else query[:59] + '…'}"
    return await agent(prompt, label=label, phase=title, reads=patterns(target), **options)


async def exactly(title, query, prompt, *, task, **options):
    """By the provider that compares letters, where the run may use it; otherwise by whoever answers the run."""
    try:
        return await look(title, query, prompt, task=task, capabilities=["task:" + task["kind"]], **options)
    except AgentError as error:
        if error.reason != "unsupported":
            raise
    return await look(title, query, prompt, task=task, **options)


async def scope(question, target, depth):
    """Sub-questions from a language model; without one, the questions that the asker has put."""
    try:
        planned = await agent(
            SCOPE.format(target=target, question=question, depth=depth),
            label="scope",
            schema=record(questions=many(TEXT)),
            reads=patterns(target),
            capabilities=["text"],
        )
        queries = planned["questions"]
    except AgentError as error:
        if error.reason != "unsupported":
            log(f"the question was not broken down: {error}", reason=error.reason)
        queries = re.split(r"(?<=[?;])\s+|\n+", question)
    unique = {
        " ".join(query.split()).casefold(): " ".join(query.split()) for query in queries if query.strip()
    }
    return list(unique.values())[:depth] or [question]


def listed(values):
    return json.dumps(values, indent=1, ensure_ascii=False)


def number(groups):
    """All verified sources, each once, numbered in the order of the report; groups get their numbered ones."""
    known = {}
    for group in groups:
        for index, source in enumerate(group["sources"]):
            place = (source["file"], source["line"], source["quote"])
            known.setdefault(place, {**source, "number": len(known) + 1})
            group["sources"][index] = known[place]
    return list(known.values())


def nothing(groups, target):
    failed = sorted({group["failed"] for group in groups if "failed" in group})
    lost = sum(len(group["lost"]) for group in groups)
    files = max([group["files"] for group in groups] + [0])
    why = "; ".join(failed) or (
        f"{lost} quotes were not found in their files" if lost else f"{files} files were searched"
    )
    return f"0 sources in {target!r}: {why}. Name a target that holds documents about the question, or reword it."


async def write(question, sources):
    """An answer whose claims all cite verified sources and were checked against them; None without a language model."""
    shown = [
        {name: each.get(name, "") for name in ["number", "file", "line", "quote", "passage"]}
        for each in sources
    ]
    prompt = ANSWER.format(question=question, sources=listed(shown))
    try:
        answer = await agent(prompt, label="answer", schema=ANSWERED, reads=[], capabilities=["text"])
    except AgentError as error:
        if error.reason != "unsupported":
            log(f"no answer was written: {error}", reason=error.reason)
        return None
    parts = [{"heading": "", "claims": answer["answer"]}, *answer["sections"]]
    claims = [claim for part in parts for claim in part["claims"]]
    for claim in claims:
        claim["sources"] = [n for n in dict.fromkeys(claim["sources"]) if n <= len(sources)]
    doubts = {index: "it cites no source" for index in range(len(claims)) if not claims[index]["sources"]}
    doubts.update(await doubted(claims, sources))
    left = [claim for index, claim in enumerate(claims) if index not in doubts]
    if not left:
        return None
    return {
        "parts": [{**part, "claims": [claim for claim in part["claims"] if claim in left]} for part in parts],
        "gaps": answer["gaps"],
        "dropped": [{"text": claims[index]["text"], "why": why} for index, why in doubts.items()],
    }


async def doubted(claims, sources):
    """The claims that their quotes do not carry, by index, with the reason."""
    quotes = [each["quote"] for each in sources]
    asked = [
        {"number": index + 1, "claim": claim["text"], "quotes": [quotes[n - 1] for n in claim["sources"]]}
        for index, claim in enumerate(claims)
        if claim["sources"]
    ]
    try:
        prompt = CHECK.format(claims=listed(asked))
        judged = await agent(prompt, label="check claims", schema=JUDGED, reads=[], capabilities=["text"])
    except AgentError as error:
        log(f"the claims were not checked against their quotes: {error}", reason=error.reason)
        return {}
    return {each["number"] - 1: each["why"] for each in judged["verdicts"] if not each["supported"]}


def report(question, target, groups, sources, answer):
    files = len({each["file"] for each in sources})
    found = f"{amount(len(sources), 'verified quote')} from {amount(files, 'file')}"
    searched = max(group["files"] for group in groups)
    about = [f"{found}; {amount(searched, 'file')} searched in {code(target)}."]
    if any(group.get("tool") for group in groups):
        about.append(
            "No language model was used to search: the passages share words with the question, no more."
        )
    if answer is None:
        about.append(
            "This is evidence, not an answer: nobody has weighed these quotes or drawn a conclusion."
        )
    lost = [
        f"{place(each)} “{short(each['quote'])}”: {plain(each['why'])}"
        for group in groups
        for each in group["lost"]
    ]
    failed = [f"{plain(group['query'])}: {plain(group['failed'])}" for group in groups if "failed" in group]
    empty = [plain(group["query"]) for group in groups if not group["sources"] and "failed" not in group]
    parts = [
        f"# {plain(question)}",
        "\n>\n".join("> " + line for line in about),
        *(evidence(groups) if answer is None else prose(answer)),
    ]
    parts += section("Without a source", empty) + section("Failed searches", failed)
    if answer is not None:
        parts += section(
            "Sources", [f"[{each['number']}] {place(each)} — “{short(each['quote'])}”" for each in sources]
        )
    parts += section("Quotes that did not stand up", lost)
    return "\n\n".join(part for part in parts if part) + "\n"


def prose(answer):
    """The answer as paragraphs, each claim followed by the numbers of its sources."""
    parts = []
    for part in answer["parts"]:
        cited = [
            f"{plain(each['text'])} {''.join(f'[{n}]' for n in each['sources'])}" for each in part["claims"]
        ]
        if cited:
            parts += [f"## {plain(part['heading'])}" if part["heading"] else "", " ".join(cited)]
    parts += section("Not answered", [plain(gap) for gap in answer["gaps"]])
    dropped = [f"{plain(each['text'])} ({plain(each['why'])})" for each in answer["dropped"]]
    return parts + section("Dropped: not carried by a source", dropped)


def evidence(groups):
    """The quotes themselves, under the question that they were found for."""
    parts = []
    for group in groups:
        if group["sources"]:
            parts.append(f"## {plain(group['query'])}")
            parts.extend(exhibit(each) for each in group["sources"])
    return parts


def exhibit(source):
    under = f" — {plain(source['heading'])}" if source["heading"] else ""
    return f"**[{source['number']}]** {place(source)}{under}\n\n{quoted(source['quote'])}"


def quoted(quote):
    if "\n" not in quote:
        return f"> {plain(quote)}"
    fence = "`" * (max([2] + [len(run) for run in re.findall(r"`+", quote)]) + 1)
    return f"{fence}\n{quote}\n{fence}"


def section(heading, items):
    return [f"## {heading}", "\n".join(f"- {item}" for item in items)] if items else []


def amount(count, noun):
    return f"{count} {noun}" if count == 1 else f"{count or 'no'} {noun}s"


def short(quote):
    words = " ".join(quote.split())
    return plain(words if len(words) <= 160 else words[:159] + "…")


def plain(text):
    """Text of others on one line, its Markdown and HTML taken literally except for `code`."""
    pieces = " ".join(text.split()).split("`")
    if len(pieces) % 2 == 0:
        pieces = ["'".join(pieces)]
    escaped = [re.sub(r"([\\*_\[\]<>|#])", r"\\\1", piece) for piece in pieces]
    return "`".join(pieces[n] if n % 2 else escaped[n] for n in range(len(pieces)))


def place(source):
    return code(f"{source['file']}:{source['line']}")


def code(value):
    return "`" + " ".join(value.replace("`", "'").split()) + "`"
