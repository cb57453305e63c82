"""The question before a run goes on whose last one was killed while an agent changed files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from engine.record.events import StepQueued, StepStarted
from engine.record.folder import RunFolder
from workflows.cli import unfinished
from workflows.cli.caller import Caller
from workflows.cli.unfinished import decisions

RUN = "20261121-110457-3f9a"


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    """Somebody whose run was killed in two steps, of which the script had decided one."""
    folder = RunFolder.create(tmp_path / ".mco" / "runs", RUN)
    folder.run_json.write_text(json.dumps({"parent": None}))
    events = [
        StepQueued(seq=1, at=0, step=1, label="open", key="a", in_place="ask"),
        StepQueued(seq=2, at=0, step=2, label="decided", key="b", in_place="rerun"),
        StepStarted(seq=3, at=0, step=1, provider="fake"),
        StepStarted(seq=4, at=0, step=2, provider="fake"),
    ]
    folder.journal.write_text("".join(f"{event.model_dump_json()}\n" for event in events))
    return Caller(tmp_path, {"HOME": str(tmp_path / "home")}, lambda: 0.0, None)  # pyright: ignore[reportArgumentType]


def typing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(unfinished, "somebody_is_there", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.parametrize(
    ("typed", "decided"),
    [("r\n", "rerun"), ("what\nskip\n", "skip"), ("h\n", "halt"), ("\n", "halt"), ("", "halt")],
)
def test_somebody_is_asked_about_what_the_script_left_open(
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    decided: str,
) -> None:
    typing(monkeypatch, typed)

    assert decisions(caller, RUN, None) == {"a": decided}
    said = capsys.readouterr()
    assert f"The step 'open' was changing files when run {RUN} was cut off." in said.err
    assert said.out == ""
    assert "decided" not in said.err


def test_an_answer_on_the_command_line_is_for_all_of_them(caller: Caller) -> None:
    assert decisions(caller, RUN, "skip") == {"a": "skip", "b": "skip"}


def test_without_a_terminal_nobody_is_asked(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfinished, "somebody_is_there", lambda: False)

    assert decisions(caller, RUN, None) == {}
