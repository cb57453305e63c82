"""Texts that try to be more than text, and findings made of them."""

from __future__ import annotations

from hypothesis import strategies as st

from engine.severity import SEVERITIES

NASTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "--> <!-- mco:findings:review -->",
    "[click](javascript:alert(1))",
    "![pixel](https://evil.example/p.png)",
    "https://evil.example/?q=1",
    "www.evil.example",
    "mailto:victim@example.com",
    "@octocat please merge",
    "@org/team",
    "fixes #12 and GH-34",
    "| a | b |\n|---|---|\n| c | d |",
    "# heading\n\n## another",
    "```\nout of the fence\n~~~~",
    "`code` and `` more ` code ``",
    "1. one\n2) two\n- three\n+ four\n> five",
    "***bold*** __also__ ~~gone~~ $x^2$",
    "&lt;b&gt; &#64;octocat &commat;you",
    "\\[not\\](a link) \\<b>",
    "[ref]: https://evil.example\n[ref]",
    "\x1b[31mred\x1b[0m \u202egnp.exe \u200b\x00",
    "{0} {1} {{2}}",
    "line\nbreak\r\nand\ttab",
    "\ud800 half a pair",
    "*" * 400,
    "title ends with a backslash \\",
    "<details><summary>x",
]

piece = (
    st.sampled_from(NASTY)
    | st.text(alphabet="<>[]()!`*_#@|&\\:/.-+=~$ \n0aw", max_size=12)
    | st.text(max_size=20)
)
texts = st.lists(piece, max_size=3).map(" ".join)
json_odd = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.lists(texts, max_size=2)

raw_findings = st.fixed_dictionaries(
    {"severity": st.sampled_from([*SEVERITIES, "Blocker", "nit"]), "title": texts},
    optional={
        "category": texts | json_odd,
        "file": texts
        | st.sampled_from(
            ["src/a.py", "src/ä b.py", "a:b.py", "C:\\x\\y.py", "../../etc/passwd", "/etc/passwd"]
        ),
        "line": st.integers(-5, 500) | json_odd,
        "column": st.integers(0, 80) | json_odd,
        "snippet": texts | json_odd,
        "symbol": texts | json_odd,
        "rule": st.sampled_from(["", "CWE-89", "S602"]) | texts | json_odd,
        "recommendation": texts | json_odd,
        "confidence": st.floats(0, 1) | json_odd,
        "agreement": st.floats(0, 1) | json_odd,
        "detected_by": st.lists(texts, max_size=3) | json_odd,
        "evidence": st.fixed_dictionaries(
            {}, optional={"file": texts, "line": st.integers(), "snippet": texts}
        ),
    },
)
results = st.fixed_dictionaries(
    {"findings": st.lists(raw_findings | json_odd, max_size=6)},
    optional={
        "decision": texts | json_odd,
        "reason": texts | json_odd,
        "reviews": json_odd
        | st.lists(st.fixed_dictionaries({"provider": texts, "ok": st.just(False)}), max_size=2),
    },
)
