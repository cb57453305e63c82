from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.providers.base import Question
from engine.record.events import Event, PhaseStarted, StepFinished, StepQueued

pytestmark = pytest.mark.anyio

GUIDE = """\
# Write-ahead logging

Readers do not block writers in write-ahead logging mode. It does not work over a
network filesystem, because all processes must share memory.

# Fruit

Bananas are yellow when they are ripe, as everybody who has seen one can tell.
"""
QUESTION = "Does write-ahead logging work over a network filesystem? Which bananas are ripe and yellow?"
QUOTE = "Readers do not block writers in write-ahead logging mode."


async def test_without_a_model_it_gives_cited_evidence_and_says_that_it_is_no_answer(
    run: Any, workspace: Path, events: list[Event]
) -> None:
    (workspace / "guide.md").write_text(GUIDE)
    outcome = await run("deep-research", {"question": QUESTION})
    assert outcome.status == "done"
    report = outcome.result["report"]
    assert "## Does write-ahead logging work over a network filesystem?" in report
    assert "## Which bananas are ripe and yellow?" in report
    assert "`guide.md:3`" in report
    assert "`guide.md:8`" in report
    assert "This is evidence, not an answer" in report
    assert "No language model was used" in report
    assert outcome.result["answer"] is None
    assert [event.title for event in events if isinstance(event, PhaseStarted)] == ["Scope", "Synthesise"]
    asked = {event.phase for event in events if isinstance(event, StepQueued)}
    assert asked == {"Scope", "Search", "Fetch", "Verify", "Synthesise"}


async def test_no_source_is_a_failure_and_no_report(run: Any, workspace: Path) -> None:
    (workspace / "guide.md").write_text(GUIDE)
    outcome = await run("deep-research", {"question": "quantum chromodynamics lattice"})
    assert outcome.status == "failed"
    assert "0 sources" in str(outcome.error)
    assert outcome.result is None


async def test_a_search_that_cannot_be_made_is_the_reason_given(run: Any, workspace: Path) -> None:
    outcome = await run("deep-research", {"question": "anything at all", "target": "nowhere"})
    assert outcome.status == "failed"
    assert "'nowhere' does not exist" in str(outcome.error)


def model(question: Question) -> Any:
    """A model that invents a quote, cites what is not there, and overstates."""
    properties = question.schema["properties"] if isinstance(question.schema, dict) else {}
    if "questions" in properties:
        return {"questions": ["Does logging block readers?", "does logging  block readers?"]}
    if "files_searched" in properties:
        source = {"file": "guide.md", "line": 1, "score": 9, "heading": ""}
        quotes = [QUOTE, "It works perfectly over every network filesystem."]
        sources = [{**source, "quote": quote} for quote in quotes]
        return {"query": "x", "sources": sources, "files_searched": 1, "produced_by": "language model"}
    if "gaps" in properties:
        assert QUOTE in question.prompt
        assert "perfectly" not in question.prompt
        claims = [
            {"text": "Readers do not block writers.", "sources": [1, 7, 1]},
            {"text": "It is the fastest mode.", "sources": [1]},
            {"text": "Everybody uses it.", "sources": [2]},
        ]
        return {"answer": claims, "sections": [], "gaps": ["How fast it is"]}
    assert "verdicts" in properties, "fetching and verifying are done without the model"
    judged = [(1, True, ""), (2, False, "The quote says nothing about speed.")]
    return {"verdicts": [{"number": n, "supported": good, "why": why} for n, good, why in judged]}


async def test_with_a_model_only_claims_that_verified_quotes_carry_are_reported(
    run: Any, workspace: Path
) -> None:
    (workspace / "guide.md").write_text(GUIDE)
    outcome = await run("deep-research", {"question": "Does logging block readers?"}, model)
    assert outcome.status == "done"
    body, dropped = outcome.result["report"].split("## Dropped")
    assert "Readers do not block writers. [1]\n" in body
    assert "fastest" not in body
    assert "Everybody" not in body
    assert "It is the fastest mode. (The quote says nothing about speed.)" in dropped
    assert "Everybody uses it. (it cites no source)" in dropped
    assert "- [1] `guide.md:3`" in dropped
    assert "works perfectly" in dropped.split("## Quotes that did not stand up")[1]
    assert outcome.result["questions"] == ["does logging block readers?"]
    assert [each["line"] for each in outcome.result["sources"]] == [3]


async def test_a_model_that_the_user_insists_on_fetches_and_verifies_itself(
    run: Any, workspace: Path, events: list[Event]
) -> None:
    (workspace / "guide.md").write_text(GUIDE)

    def thorough(question: Question) -> Any:
        kind = (question.task or {}).get("kind")
        if kind == "fetch":
            passage = {"file": "guide.md", "start": 1, "end": 4, "text": GUIDE}
            return {"passages": [passage], "produced_by": "language model"}
        if kind == "verify" and question.task is not None:
            checked = [
                {**each, "verified": each["quote"] == QUOTE, "why": "Looked."}
                for each in question.task["quotes"]
            ]
            return {"checked": checked, "produced_by": "language model"}
        return model(question)

    outcome = await run("deep-research", {"question": "Does logging block readers?"}, thorough, pinned=True)
    assert outcome.error is None
    assert [each["quote"] for each in outcome.result["sources"]] == [QUOTE]
    finished = [event.provider for event in events if isinstance(event, StepFinished)]
    assert finished == ["model"] * 6


async def test_depth_and_sources_bound_the_work(run: Any, workspace: Path) -> None:
    (workspace / "guide.md").write_text(GUIDE)
    outcome = await run("deep-research", {"question": QUESTION, "depth": 1, "sources": 1})
    assert len(outcome.result["questions"]) == 1
    assert len(outcome.result["sources"]) == 1
