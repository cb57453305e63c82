"""What is shown of a script before it is trusted: all of its text, as it is, and what it may do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.providers.fake import FakeProvider, echo
from engine.providers.registry import Registry
from engine.settings import Settings
from engine.source import ScriptSource
from workflows.cli.exhibit import Listing, facts, remark


def registry(folder: Path, *names: str, preferred: str | None = None) -> Registry:
    return Registry(
        tables={},
        workspace=folder,
        cache_folder=folder,
        environment=os.environ,
        preferred=preferred,
        added={name: FakeProvider(echo, name) for name in names},
    )


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (b"a\nb\n", ["1  a", "2  b"]),
        (b"a\n\n", ["1  a", "2  "]),
        (b"a\rb\r\nc", ["1  a", "2  b", "3  c"]),
        (b"a\x0bb\x0cc\xc2\x85d\xe2\x80\xa8e", ["1  a<U+000B>b<U+000C>c<U+0085>d<U+2028>e"]),
        (b"\xef\xbb\xbfa\n\ta", ["1  a", "2      a"]),
        (b"\xff\x00", [r"1  \xff<U+0000>"]),
        (b"", ["1  "]),
    ],
)
def test_every_line_of_a_script_is_shown_as_python_counts_them(source: bytes, lines: list[str]) -> None:
    assert list(Listing(source).lines()) == lines


def test_an_excerpt_counts_the_rows_of_long_lines() -> None:
    listing = Listing(f"short\n{'日' * 30}\nlast\n".encode())

    assert listing.excerpt(3, 40).lines == ["1  short", f"2  {'日' * 30}"]
    assert listing.excerpt(2, 40).lines == ["1  short"]
    assert listing.excerpt(4, 40).is_whole


def test_an_excerpt_says_what_it_left_out_and_what_was_hidden() -> None:
    listing = Listing(b"a\n\tb\n# \xe2\x80\x8b\n")

    assert remark(listing, listing.excerpt(1, 80)) == [
        "… 1 of 3 lines; s shows all of them",
        "1 line with signs that a terminal hides; <U+…> stands for one",
    ]
    assert remark(Listing(b"a\n\tb\n"), Listing(b"a\n\tb\n").excerpt(9, 80)) == []


@pytest.mark.parametrize(
    ("names", "preferred", "asks"),
    [
        ([], "builtin", "builtin, unless a step names fake"),
        (["claude"], "claude", "claude, unless a step names builtin or fake"),
        (["a\x1b[8m"], "a\x1b[8m", "a<U+001B>[8m, unless a step names builtin or fake"),
        (["a", "b"], "fake", "fake, unless a step names a, b or builtin"),
    ],
)
def test_who_will_be_asked_is_named(tmp_path: Path, names: list[str], preferred: str, asks: str) -> None:
    source = ScriptSource("a.py", b"", tmp_path / "a.py")
    said = facts(source, Settings.model_validate({}), registry(tmp_path, *names, preferred=preferred))

    assert f"  asks     {asks}" in said


def test_the_ceilings_are_named(tmp_path: Path) -> None:
    source = ScriptSource("a.py", b"text", tmp_path / "a\n\x1b.py")
    settings = Settings.model_validate(
        {"access": "write", "budget": 1_500, "max_steps": 2_000, "max_parallel": 3}
    )

    assert facts(source, settings, registry(tmp_path, "claude", preferred="claude")) == [
        f"  file     {tmp_path}/a<U+000A><U+001B>.py",
        f"  sha-256  {source.digest}",
        "  asks     claude, unless a step names builtin or fake",
        "  access   write, and no step may ask for more",
        "  spends   at most 1,500 tokens",
        "  steps    at most 2,000, 3 at once",
    ]
