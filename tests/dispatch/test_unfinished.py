"""Steps that were changing files in place when their run was killed: found in the journals, and decided about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.dispatch.unfinished import CutOff, Past, cut_off
from engine.errors import MCOError, StepFailed
from engine.record.events import Event, StepFinished, StepQueued, StepStarted
from engine.record.events import StepFailed as StepFailedEvent
from engine.record.folder import RunFolder
from engine.record.lineage import lineage
from engine.step import Key, OnResume, Step

STEP = Step("change it", label="one", access="write")
KEY = Key("k1", {})
FIRST, SECOND, THIRD = (f"20261121-11045{number}-0000" for number in range(3))


def queued(key: str = "k1", *, in_place: str | None = "ask") -> StepQueued:
    return StepQueued.model_validate(
        {"seq": 1, "at": 0, "step": 1, "label": "one", "key": key, "in_place": in_place}
    )


STARTED = StepStarted(seq=2, at=0, step=1, provider="fake")
FINISHED = StepFinished(seq=3, at=0, step=1, provider="fake", seconds=1)
FAILED = StepFailedEvent(seq=3, at=0, step=1, reason="crashed", message="")


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([[queued(), STARTED]], {"k1": CutOff(FIRST, "one", None)}),
        ([[queued(in_place="skip"), STARTED]], {"k1": CutOff(FIRST, "one", "skip")}),
        ([[queued()]], {}),
        ([[queued(in_place=None), STARTED]], {}),
        ([[queued(), STARTED, FINISHED]], {}),
        ([[queued(), STARTED, FAILED]], {}),
        ([[queued(), STARTED], []], {"k1": CutOff(FIRST, "one", None)}),
        ([[queued(), STARTED], [queued(), FAILED]], {"k1": CutOff(FIRST, "one", None)}),
        ([[queued(), STARTED], [queued(), STARTED, FINISHED]], {}),
        ([[queued(), STARTED], [queued("k2"), STARTED, FINISHED]], {}),
        ([[queued(), STARTED], [queued(), STARTED]], {"k1": CutOff(SECOND, "one", None)}),
    ],
)
def test_what_was_started_and_never_ended_is_cut_off(
    runs: list[list[Event]], found: dict[str, CutOff]
) -> None:
    assert cut_off(zip((FIRST, SECOND), runs, strict=False)) == found


def past(tmp_path: Path, answers: dict[str, OnResume] | None = None) -> Past:
    folder = RunFolder.create(tmp_path, FIRST)
    folder.journal.write_text("".join(f"{event.model_dump_json()}\n" for event in (queued(), STARTED)))
    return Past(tmp_path, FIRST, answers or {})


def test_nobody_said_what_to_do_so_the_run_halts_with_the_ways_out(tmp_path: Path) -> None:
    with pytest.raises(
        MCOError, match=f"the step 'one' was changing files when run {FIRST} was cut off"
    ) as halted:
        past(tmp_path).verdict(STEP, KEY)
    assert "--on-resume rerun" in str(halted.value.hint)


@pytest.mark.parametrize(
    ("said", "decided", "skipped"),
    [
        ("skip", {}, True),
        ("rerun", {}, False),
        ("halt", {"k1": "rerun"}, False),
        ("rerun", {"k1": "skip"}, True),
    ],
)
def test_the_script_decides_and_a_person_decides_over_it(
    tmp_path: Path, said: OnResume, decided: dict[str, OnResume], skipped: bool
) -> None:
    verdict = past(tmp_path, decided).verdict(STEP._replace(on_resume=said), KEY)

    assert isinstance(verdict, StepFailed) is skipped
    assert verdict is None or verdict.reason == "cancelled"


@pytest.mark.parametrize("step", [STEP._replace(isolation="worktree"), STEP._replace(access="read")])
def test_only_steps_that_write_in_place_are_asked_about(tmp_path: Path, step: Step) -> None:
    assert past(tmp_path).verdict(step, KEY) is None


def test_another_step_runs(tmp_path: Path) -> None:
    assert past(tmp_path).verdict(STEP._replace(label="two"), Key("k2", {})) is None


def test_a_step_that_was_edited_since_is_known_by_its_label(tmp_path: Path) -> None:
    assert past(tmp_path, {"k1": "rerun"}).verdict(STEP, Key("k2", {})) is None
    with pytest.raises(MCOError, match="was changing files"):
        Past(tmp_path, FIRST).verdict(STEP, Key("k2", {}))


def test_a_first_run_has_no_past(tmp_path: Path) -> None:
    none = Past(tmp_path, None)

    assert (none.runs, none.verdict(STEP, KEY)) == (frozenset(), None)


def test_the_line_of_runs_goes_back_to_the_first(tmp_path: Path) -> None:
    for run, parent in ((FIRST, None), (SECOND, FIRST), (THIRD, SECOND)):
        RunFolder.create(tmp_path, run).run_json.write_text(json.dumps({"parent": parent}))

    assert [folder.run_id for folder in lineage(tmp_path, THIRD)] == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("parent", ["../elsewhere", FIRST, 7])
def test_a_line_that_leads_out_or_round_in_a_circle_ends(tmp_path: Path, parent: object) -> None:
    RunFolder.create(tmp_path, FIRST).run_json.write_text(json.dumps({"parent": parent}))

    assert [folder.run_id for folder in lineage(tmp_path, FIRST)] == [FIRST]
