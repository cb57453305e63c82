"""What is looked at to find an earlier step: bytes before journals, and nothing outside the folder of runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from engine.dispatch.wording import EXCERPT
from engine.record.events import Answers, Event, RunFinished, RunStarted, StepFinished, StepQueued, StepReused
from engine.record.folder import RunFolder
from engine.record.journal import Journal
from workflows.runs import RunStore
from workflows.why import history as module
from workflows.why.history import History
from workflows.why.past import PastRun, StepLine

ODD = 'quote " backslash \\ comma ","phase":" café ☃ \u2028'


def keep(
    runs: Path,
    run_id: str,
    labels: list[str],
    *,
    parent: str | None = None,
    from_run: str | None = None,
    answers: Answers = "providers",
    prompt: str = "",
) -> RunFolder:
    """A finished run with a step for each label; with `from_run` they were reused from there."""
    folder = RunFolder.create(runs, run_id)
    events: list[Event] = [
        RunStarted(seq=1, at=1.0, run_id=run_id, workflow="w", parent=parent, answers=answers)
    ]
    for number, label in enumerate(labels, 1):
        key = f"{number:064x}"
        events.append(
            StepQueued(
                seq=len(events) + 1,
                at=1.0,
                step=number,
                label=label,
                prompt=prompt or f"ask {label}",
                key=key,
            )
        )
        end: dict[str, Any] = {"seq": len(events) + 1, "at": 1.0, "step": number, "provider": "fake"}
        events.append(
            StepFinished(**end, seconds=1.0)
            if from_run is None
            else StepReused(**end, from_run=from_run, age=1.0)
        )
    events.append(RunFinished(seq=len(events) + 1, at=2.0, status="done", seconds=1.0))
    journal = Journal(folder.journal)
    for event in events:
        journal.write(event)
    journal.close()
    return folder


def found(runs: Path, folder: RunFolder, *, most_bytes: int = 1 << 30) -> dict[int, tuple[str, int]]:
    run = PastRun(folder)
    history = History(RunStore(runs), run, most_bytes=most_bytes)
    return {
        number: (match.run.run_id, match.number) for number, match in history.matches(sorted(run.view.steps))
    }


def test_the_newest_earlier_run_that_has_the_step_is_taken(tmp_path: Path) -> None:
    keep(tmp_path, "20260101-000001-0000", ["a", "b"])
    keep(tmp_path, "20260101-000002-0000", ["b"])
    mine = keep(tmp_path, "20260101-000003-0000", ["a", "b", "c"])
    keep(tmp_path, "20260101-000004-0000", ["a", "b", "c"])

    assert found(tmp_path, mine) == {1: ("20260101-000001-0000", 1), 2: ("20260101-000002-0000", 1)}


def test_the_second_of_a_label_is_compared_with_the_second(tmp_path: Path) -> None:
    keep(tmp_path, "20260101-000001-0000", ["a", "a", "a"])
    keep(tmp_path, "20260101-000002-0000", ["a"])
    mine = keep(tmp_path, "20260101-000003-0000", ["a", "a"])

    assert found(tmp_path, mine) == {1: ("20260101-000002-0000", 1), 2: ("20260101-000001-0000", 2)}


def test_labels_are_found_whatever_they_hold(tmp_path: Path) -> None:
    keep(tmp_path, "20260101-000001-0000", [ODD, "plain"])
    mine = keep(tmp_path, "20260101-000002-0000", ["plain", ODD])

    assert found(tmp_path, mine) == {1: ("20260101-000001-0000", 2), 2: ("20260101-000001-0000", 1)}


def test_a_run_that_was_answered_from_a_cassette_is_passed_over(tmp_path: Path) -> None:
    keep(tmp_path, "20260101-000001-0000", ["a"])
    keep(tmp_path, "20260101-000002-0000", ["a"], answers="cassette")

    assert found(tmp_path, keep(tmp_path, "20260101-000003-0000", ["a"])) == {1: ("20260101-000001-0000", 1)}


def test_a_run_that_has_nothing_is_never_read_as_a_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second in range(9):
        keep(tmp_path, f"20260101-00000{second}-0000", ["other"])
    keep(tmp_path, "20260101-000020-0000", ["a"])
    mine = keep(tmp_path, "20260101-000030-0000", ["a"])
    run = PastRun(mine)
    read: list[str] = []
    monkeypatch.setattr(
        module, "PastRun", lambda folder, losses: read.append(folder.run_id) or PastRun(folder, losses)
    )

    assert [number for number, _ in History(RunStore(tmp_path), run).matches([1])] == [1]
    assert read == ["20260101-000020-0000"]


def test_what_was_not_searched_is_known(tmp_path: Path) -> None:
    keep(tmp_path, "20260101-000001-0000", ["a"])
    keep(tmp_path, "20260101-000002-0000", ["b"])
    run = PastRun(keep(tmp_path, "20260101-000003-0000", ["a"]))
    history = History(RunStore(tmp_path), run, most_bytes=10)

    assert list(history.matches([1])) == []
    assert not history.complete


@pytest.mark.parametrize("named", ["../outside", "/etc", "..", "", "a" * 5_000, "nul\0", "sub/run"])
def test_a_record_leads_nowhere_outside_the_runs(tmp_path: Path, named: str) -> None:
    runs = tmp_path / "runs"
    keep(tmp_path, "outside", ["a"])
    mine = keep(runs, "20260101-000003-0000", ["a"], parent=named, from_run=named)
    run = PastRun(mine)
    history = History(RunStore(runs), run)

    assert list(history.matches([1])) == []
    assert history.line(run, 1) is None


def test_runs_of_one_second_come_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    for moment, token in enumerate(("ffff", "0000", "8888"), 1):
        facts = keep(tmp_path, f"20260101-000001-{token}", ["a"]).run_json
        facts.write_text("{}")
        os.utime(facts, ns=(moment, moment))
    order = [folder.run_id[-4:] for folder in RunStore(tmp_path).before("20260101-000001-8888")]

    assert order == ["0000", "ffff"]
    assert RunStore(tmp_path).find().run_id.endswith("8888")


def test_prompts_that_only_begin_alike_are_read_a_few_times_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        keep(tmp_path, f"20260101-0000{number:02}-0000", [f"old {number}"], prompt="x" * EXCERPT)
    run = PastRun(keep(tmp_path, "20260102-000000-0000", ["new"], prompt="x" * EXCERPT))
    history = History(RunStore(tmp_path), run)
    read: list[str] = []
    monkeypatch.setattr(
        module, "PastRun", lambda folder, losses: read.append(folder.run_id) or PastRun(folder, losses)
    )
    monkeypatch.setattr(history, "line", lambda run, number: StepLine(step=number, prompt=run.run_id))

    assert list(history.matches([1])) == []
    assert len(read) == 20
