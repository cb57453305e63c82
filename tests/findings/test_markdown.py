"""The comment is read with a CommonMark parser: whatever was found, nothing of it is more than text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from engine.text import clean_output
from tests.findings.hostile import NASTY, results, texts
from tests.findings.test_finding import HERE, PLAIN
from tests.findings.test_sarif import ABOUT
from workflows.findings.about import About
from workflows.findings.escaping import code, fenced, prose
from workflows.findings.formats import write_findings
from workflows.findings.markdown import LONGEST, markdown_comment, marker
from workflows.findings.reading import read_findings

# Tables and strikethrough are GitHub's own; its links without brackets are looked for in `live`.
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
OURS = {
    "heading",
    "paragraph",
    "blockquote",
    "inline",
    "text",
    "code_inline",
    "fence",
    "strong",
    "html_block",
    "softbreak",
}
LIVE = re.compile(r"@[\w-]|(?:https?|ftp):/|www\.|mailto:|xmpp:|#\d|GH-\d", re.IGNORECASE)


def comment_of(*entries: Any, about: About = ABOUT, **result: Any) -> str:
    return write_findings("markdown-pr", {"findings": list(entries), **result}, about, HERE)


@given(texts)
@example("\x1b]0;title\x07 \u202e back")
def test_nothing_of_it_steers_a_terminal(text: str) -> None:
    shown = "".join((prose(text), code(text), fenced(text)))

    assert shown.replace("\u200b", "").replace("\n", "").replace("\t", "").isprintable()


def tokens_of(markdown: str) -> Iterator[Token]:
    for token in PARSER.parse(markdown):
        yield token
        yield from token.children or []


def kinds_of(markdown: str) -> set[str]:
    return {re.sub("_(open|close)$", "", token.type) for token in tokens_of(markdown)}


def shown_by(markdown: str) -> str:
    """What a reader sees, without the breaks that nobody does."""
    shown = "".join(token.content for token in tokens_of(markdown) if token.type in ("text", "code_inline"))
    return shown.replace("\u200b", "")


def live(markdown: str) -> list[str]:
    """What a service would make a link or a mention of, outside code."""
    texts = [token.content for token in tokens_of(markdown) if token.type == "text"]
    return [found.group() for text in texts for found in LIVE.finditer(text)]


@given(results)
def test_nothing_that_was_found_is_markup_a_link_or_a_mention(result: Any) -> None:
    comment = write_findings("markdown-pr", result, ABOUT, HERE)
    assert kinds_of(comment) <= OURS
    assert [token.content.strip() for token in tokens_of(comment) if token.type == "html_block"] == [
        marker("review")
    ]
    assert live(comment) == []
    headings = [token for token in PARSER.parse(comment) if token.type == "heading_open"]
    assert len(headings) <= 1 + 5


@given(texts)
@example("`a``b` <x> `c`")
@example("\\")
@example("a\\`b`")
def test_prose_is_shown_as_it_stands(text: str) -> None:
    markdown = prose(text)
    assert kinds_of(markdown) <= {"paragraph", "inline", "text", "code_inline"}
    assert live(markdown) == []
    seen = "".join(shown_by(markdown).replace("`", "").replace("'", "").split())
    assert seen == "".join(clean_output(text).replace("`", "").replace("'", "").split())


@given(st.text(alphabet="`a \n~", max_size=30))
def test_a_fence_is_never_left(text: str) -> None:
    (token,) = PARSER.parse(fenced(text))
    assert token.type == "fence"
    assert token.content == text + "\n"


def test_code_has_no_backticks_of_its_own() -> None:
    assert code("a`b``c\n d") == "`a'b''c d`"
    assert code("  ") == ""


def test_the_decision_comes_first_then_the_gravest() -> None:
    entries = [
        {**PLAIN, "severity": severity, "title": f"a {severity} one"}
        for severity in ("low", "critical", "high")
    ]
    comment = comment_of(*entries, decision="FAIL", reason="1 critical finding")
    shown = [line for line in comment.splitlines() if line]
    assert shown[:4] == [
        "<!-- mco:findings:review -->",
        "## mco review",
        "**FAIL**: 1 critical finding",
        "3 findings: 1 critical, 1 high, 1 low.",
    ]
    assert [line for line in shown if line.startswith("### ")] == ["### Critical", "### High", "### Low"]


def test_a_finding_shows_its_place_its_code_and_who_found_it() -> None:
    comment = comment_of(
        {
            **PLAIN,
            "recommendation": "Start at `0`.",
            "detected_by": ["claude", "codex"],
            "agreement": 0.667,
            "confidence": 0.9,
        }
    )
    assert (
        "**Off by one on line 12** at `src/a.py:12`\n\n```\nfor n in range(1, total):\n```\n\nStart at `0`."
        in comment
    )
    assert "bug · in `count` · found by claude, codex · agreement 67% · confidence 90% · " in comment


def test_what_nobody_said_is_not_shown() -> None:
    comment = comment_of({"severity": "low", "title": "t"})
    assert not re.search("agreement|confidence|found by|None| at `", comment)


def test_no_findings_is_said_and_so_is_what_is_missing() -> None:
    comment = comment_of(
        "odd",
        about=ABOUT._replace(status="partial"),
        reviewers=[{"reviewer": "security", "failed": "no quota"}],
    )
    assert "\nNo findings.\n" in comment
    assert "> The run ended as **partial**: not everything was looked at." in comment
    assert "> Missing: security: no quota" in comment
    assert "> Findings that could not be read: 1" in comment


@pytest.mark.parametrize("filler", ["word ", "\U0001f600", "<&>"])
def test_a_comment_has_an_end_and_says_what_was_left_out(filler: str) -> None:
    entries = [
        {**PLAIN, "severity": severity, "title": f"number {number}", "recommendation": filler * 300}
        for severity in ("info", "critical")
        for number in range(100)
    ]
    comment = comment_of(*entries)
    assert len(comment.encode("utf-16-le")) // 2 <= LONGEST
    left = re.search(r"Left out, since a comment has an end: (?:(\d+) critical, )?(\d+) info\.", comment)
    assert left is not None
    titles = re.findall(r"\*\*number (\d+)\*\*", comment)
    assert len(titles) + int(left[1] or 0) + int(left[2]) == 200
    assert titles[0] == "0"
    assert kinds_of(comment) <= OURS


def test_as_much_as_fits_is_shown() -> None:
    findings = read_findings({"findings": [{**PLAIN, "title": f"t{number}"} for number in range(20)]}, HERE)
    assert findings is not None
    whole = markdown_comment(findings, ABOUT)
    assert markdown_comment(findings, ABOUT, len(whole)) == whole
    assert "1 high.** The run" in markdown_comment(findings, ABOUT, len(whole) - 1).replace("end: 1", "1")


@pytest.mark.parametrize("name", [*NASTY, "review", ""])
def test_a_marker_is_one_comment_that_nobody_sees(name: str) -> None:
    (token,) = PARSER.parse(marker(name))
    assert token.type == "html_block"
    assert token.content.count("-->") == 1
