"""What differs between two runs: their steps by label and occurrence, what each cost, and what came of it all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from engine.record.folder import RunFolder
from engine.record.step_view import StepView
from workflows.why.history import History
from workflows.why.past import Name, PastRun
from workflows.why.reason import Change, Sides, differing_parts, option_changes


class Pair(NamedTuple):
    """One step in both runs, or in one of them. `changes` is empty when it is the same in both.

    It names `added`, `gone`, `prompt`, options by their names, `files`, `key` (it differs, and the record does not say
    in what), `answer` and `state`.
    """

    name: Name
    old: StepView | None
    new: StepView | None
    changes: tuple[str, ...] = ()
    options: tuple[Change, ...] = ()


class Difference(NamedTuple):
    """Two runs side by side. What cannot be told, because a file is gone, is None."""

    old: PastRun
    new: PastRun
    pairs: Sequence[Pair]
    script_changed: bool | None
    args_changed: bool
    result_changed: bool | None


def difference(old: PastRun, new: PastRun, history: History) -> Difference:
    """Their difference; `history` finds the lines of steps that either of them reused."""
    names = dict.fromkeys([*new.by_label, *old.by_label])
    return Difference(
        old,
        new,
        [_pair(name, old, new, history) for name in names],
        _differ(old.folder.script, new.folder.script),
        old.view.args != new.view.args,
        None if "running" in (old.view.status, new.view.status) else _results_differ(old.folder, new.folder),
    )


def _pair(name: Name, old: PastRun, new: PastRun, history: History) -> Pair:
    before, after = old.by_label.get(name), new.by_label.get(name)
    if before is None or after is None:
        return Pair(
            name,
            None if before is None else old.step(before),
            None if after is None else new.step(after),
            ("added" if before is None else "gone",),
        )
    was, now = old.step(before), new.step(after)
    if was.key == now.key and now.state == "reused" and old.run_id == now.from_run:
        return Pair(name, was, now)  # the very answer of then
    sides = Sides(now, history.line(new, after), was, history.line(old, before))
    changes: list[str] = []
    if was.key != now.key:
        changes += differing_parts(sides) or ["key"]
    if _ended(was) != _ended(now):
        changes.append("state")
    elif _answers_differ(sides):
        changes.append("answer")
    return Pair(name, was, now, tuple(changes), option_changes(sides) if was.key != now.key else ())


def _ended(step: StepView) -> str:
    """How a step ended; where its answer came from makes no difference."""
    return "finished" if step.state == "reused" else step.state


def _answers_differ(sides: Sides) -> bool:
    new, old = sides.new_line, sides.old_line
    if new is None or old is None or not (new.answered and old.answered):
        return sides.old is not None and sides.old.answer != sides.new.answer  # their beginnings
    return new.answer != old.answer


def _results_differ(old: RunFolder, new: RunFolder) -> bool | None:
    if not old.result.exists() and not new.result.exists():
        return None
    return old.result.exists() != new.result.exists() or _differ(old.result, new.result)


def _differ(old: Path, new: Path) -> bool | None:
    from filecmp import cmp

    try:
        return not cmp(old, new, shallow=False)
    except OSError:
        return None
