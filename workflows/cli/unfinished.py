"""Asks what becomes of steps that were changing files when a run was cut off, before the run goes on."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from engine.text import clean_line
from workflows.cli.caller import Caller
from workflows.cli.consent import somebody_is_there
from workflows.cli.outlet import tell

if TYPE_CHECKING:
    from engine.dispatch.unfinished import CutOff
    from engine.step import OnResume

_ANSWERS: Mapping[str, OnResume] = {"r": "rerun", "s": "skip", "h": "halt"}
_MEANINGS = (
    "  r  run it again, over what it may have changed already",
    "  s  skip it: the script hears that it failed",
    "  h  halt here, and look at the files first",
)


def decisions(caller: Caller, run: str, given: OnResume | None) -> dict[str, OnResume]:
    """By key, what a person wants of the steps that were cut off in a run or before it; `given` answers for all."""
    from engine.dispatch.unfinished import Past

    cut_off = Past(caller.places.runs, run).cut_off
    if given is not None:
        return dict.fromkeys(cut_off, given)
    if not somebody_is_there():
        return {}  # the run halts where it comes to one
    return {key: _ask(step) for key, step in cut_off.items() if step.wants is None}


def _ask(step: CutOff) -> OnResume:
    tell(f"The step {clean_line(step.label, 60)!r} was changing files when run {step.run} was cut off.")
    tell("\n".join(_MEANINGS))
    while True:
        click.echo("what shall become of it? [r/s/h] (h) ", nl=False, err=True)
        typed = sys.stdin.readline(1024).strip().lower()
        for letter, answer in _ANSWERS.items():
            if typed in (letter, answer):
                return answer
        if not typed:
            return "halt"
        tell("please answer r, s or h")
