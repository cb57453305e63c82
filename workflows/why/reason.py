"""Why a step ran instead of being reused: the first part of its key that differs from the nearest earlier one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from engine.record.step_view import StepView
from workflows.why.past import StepLine

Kind = Literal[
    "reused",  # it did not run
    "unsent",  # it was refused before anybody was asked
    "new",  # no earlier run has it
    "prompt",
    "upstream",  # its prompt changed, because it holds the answer of a step that is another one now
    "options",
    "files",
    "failed",  # the same step failed before, and failures are not kept
    "interrupted",  # the same step never came to its end
    "unbegun",  # the same step waited for its turn until its run ended
    "expired",
    "forced",  # --fresh
    "uncached",  # cache=False
    "writes",  # a step that may write is not reused
    "dropped",  # nothing changed, but its answer is no longer kept
    "lost",  # nothing changed, and its line, which said why it ran, is gone
    "unknown",  # its key changed, and the record does not say in what
]

_SKIPPED = frozenset({"prompt", "workspace"})
_BY_MISS: Mapping[str | None, Kind] = {
    "forced": "forced", "uncached": "uncached", "writes": "writes", "expired": "expired",
}  # fmt: skip


class Change(NamedTuple):
    """An option that is another one now."""

    part: str
    old: Any
    new: Any


class Files(NamedTuple):
    """What became of the files that a step may read; `more` are not named.

    `known` is False when what they were is no longer kept.
    """

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    more: int = 0
    known: bool = True


class Upstream(NamedTuple):
    """The step whose answer stands in a prompt."""

    step: int
    label: str


class Sides(NamedTuple):
    """One step in two runs: what the journal says of it, and its line where there is one."""

    new: StepView
    new_line: StepLine | None
    old: StepView | None = None
    old_line: StepLine | None = None


class Reason(NamedTuple):
    """Why a step ran. `also` names the further parts that differ, in the order in which they are looked at."""

    kind: Kind
    changes: tuple[Change, ...] = ()
    files: Files | None = None
    upstream: Upstream | None = None
    also: tuple[str, ...] = ()


def reason(
    sides: Sides, *, upstream: Callable[[], Upstream | None], files: Callable[[], Files | None]
) -> Reason:
    """Why the step ran. `upstream` and `files` are asked only when the prompt, or the files, differ."""
    new, line = sides.new, sides.new_line
    if new.state == "reused":
        return Reason("reused")
    if not new.key:
        return Reason("unsent")
    miss = line.miss if line is not None else None
    if miss in _BY_MISS:
        return Reason(_BY_MISS[miss])
    if sides.old is None:
        return Reason("new")
    if sides.old.key == new.key:
        found = _same_key(sides.old)
        gone = line is None and new.state == "finished"  # one that still runs has none yet
        return Reason("lost" if found == "dropped" and gone else found)
    return _difference(sides, upstream, files)


def _same_key(old: StepView) -> Kind:
    if old.state in ("failed", "skipped"):
        return "failed"
    if old.state in ("finished", "reused"):
        return "dropped"
    return "unbegun" if old.started_at is None else "interrupted"


def _difference(
    sides: Sides, upstream: Callable[[], Upstream | None], files: Callable[[], Files | None]
) -> Reason:
    differing = differing_parts(sides)
    if not differing:
        return Reason("unknown" if sides.old is None or sides.old.key else _same_key(sides.old))
    first, *others = differing
    if first == "prompt":
        source = upstream()
        return Reason("prompt" if source is None else "upstream", upstream=source, also=tuple(others))
    changes = option_changes(sides)
    if changes:
        return Reason("options", changes=changes, also=tuple(name for name in others if name == "files"))
    return Reason("files", files=files())


def differing_parts(sides: Sides) -> list[str]:
    """What differs between the two: `prompt`, options by name, `files`; empty when the record does not say."""
    found: list[str] = []
    new, old = sides.new_line, sides.old_line
    if new is not None and old is not None:
        found += ["prompt"] if new.prompt != old.prompt else []
    elif sides.old is not None and sides.new.prompt != sides.old.prompt:
        found.append("prompt")  # their beginnings differ; that much the journals have
    found += [change.part for change in option_changes(sides)]
    if _part(new, "workspace") != _part(old, "workspace") and "reads" not in found and _both(sides):
        found.append("files")
    return found


def option_changes(sides: Sides) -> tuple[Change, ...]:
    """The options that differ. `reads` is no part of a key, but what it names is."""
    new, old = sides.new_line, sides.old_line
    if new is None or old is None or new.parts is None or old.parts is None:
        return ()
    changes = [
        Change(name, old.parts.get(name), new.parts.get(name))
        for name in dict.fromkeys([*new.parts, *old.parts])
        if name not in _SKIPPED and old.parts.get(name) != new.parts.get(name)
    ]
    if new.reads != old.reads and new.parts.get("workspace") != old.parts.get("workspace"):
        changes.append(Change("reads", old.reads, new.reads))
    return tuple(changes)


def _both(sides: Sides) -> bool:
    return all(line is not None and line.parts is not None for line in (sides.new_line, sides.old_line))


def _part(line: StepLine | None, name: str) -> Any:
    return line.parts.get(name) if line is not None and line.parts is not None else None
