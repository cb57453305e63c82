from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import StepFailed

pytestmark = pytest.mark.anyio

TEXT = """\
The cache is kept
for thirty days, unless
settings say otherwise.

Errors are never kept.
The cache is kept elsewhere too.
"""


async def check(ask: Any, quote: str, line: int = 1, file: str = "notes.txt") -> dict[str, Any]:
    value = await ask(kind="verify", quotes=[{"file": file, "line": line, "quote": quote}])
    (checked,) = value["checked"]
    return checked


async def test_a_quote_over_several_lines_is_verified_whatever_its_white_space(ask: Any, write: Any) -> None:
    write("notes.txt", TEXT)
    checked = await check(ask, "kept for   thirty\n days, unless settings")
    assert checked["verified"]
    assert checked["line"] == 1


@pytest.mark.parametrize(
    "altered",
    [
        "The cache is kept for sixty days",
        "the cache is kept for thirty days",
        "Errors are kept.",
        "The cache is kept … settings say otherwise.",
        "ache is kept",
        "Errors are nev",
        "   ",
    ],
)
async def test_an_altered_quote_is_not_verified(altered: str, ask: Any, write: Any) -> None:
    write("notes.txt", TEXT)
    checked = await check(ask, altered)
    assert not checked["verified"]
    assert checked["why"] == "these words do not stand in the file"
    assert checked["quote"] == altered


async def test_a_wrong_line_is_corrected_and_that_is_said(ask: Any, write: Any) -> None:
    write("notes.txt", TEXT)
    checked = await check(ask, "Errors are never kept.", line=2)
    assert (checked["verified"], checked["line"]) == (True, 5)
    assert checked["why"] == "word for word, but on line 5 instead of 2"


async def test_of_several_places_the_nearest_counts(ask: Any, write: Any) -> None:
    write("notes.txt", TEXT)
    assert (await check(ask, "The cache is kept", line=6))["line"] == 6


async def test_a_file_that_is_missing_outside_or_binary_verifies_nothing(
    ask: Any, write: Any, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside.txt").write_text(TEXT)
    (workspace / "binary.txt").write_bytes(b"Errors are never kept.\0")
    for file, why in [
        ("gone.txt", "does not exist"),
        ("../outside.txt", "leaves"),
        ("binary.txt", "not text"),
    ]:
        checked = await check(ask, "Errors are never kept.", file=file)
        assert not checked["verified"]
        assert why in checked["why"]


async def test_fetch_gives_the_lines_around_a_place(ask: Any, write: Any) -> None:
    write("notes.txt", TEXT)
    value = await ask(kind="fetch", places=[{"file": "notes.txt", "line": 2, "score": 3}], context=1)
    assert value["passages"] == [
        {"file": "notes.txt", "start": 1, "end": 3, "text": "\n".join(TEXT.splitlines()[:3])}
    ]


@pytest.mark.parametrize(("file", "line"), [("gone.txt", 1), ("notes.txt", 400)])
async def test_fetch_of_a_place_that_is_not_there_fails(file: str, line: int, ask: Any, write: Any) -> None:
    write("notes.txt", TEXT)
    with pytest.raises(StepFailed) as failed:
        await ask(kind="fetch", places=[{"file": file, "line": line}])
    assert failed.value.reason == "not_found"
