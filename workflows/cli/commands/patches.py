"""`mco patches`: what agents changed in worktrees of their own, where that collides, and how it gets into the files."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

import click

from engine.errors import MCOError, UsageError
from engine.text import clean_block, clean_line
from workflows.cli import half_applied, patch_list
from workflows.cli.caller import Caller, pass_caller
from workflows.cli.completion import run_ids
from workflows.cli.figures import count
from workflows.cli.outlet import give, tell
from workflows.cli.report import echo_data

if TYPE_CHECKING:
    from engine.record.patches import Decision, KeptPatch
    from engine.worktree.application import Applied
    from engine.worktree.leftovers import Leftover
    from engine.worktree.review import Review
    from workflows.runs import RunRecord

_NUMBERS = click.IntRange(1)
_LOOKED_AT = 50
"""In so many earlier runs patches are looked for when a run has none."""


@click.command("patches")
@click.argument("run", default="last", shell_complete=run_ids)
@click.option("--show", type=_NUMBERS, metavar="N", help="Print patch N as git reads it.")
@click.option(
    "--apply", "apply", type=_NUMBERS, metavar="N", multiple=True, help="Change the files as patch N does."
)
@click.option("--apply-all", is_flag=True, help="The same with all that are offered, in their order.")
@click.option(
    "--markers", is_flag=True, help="With conflicts, apply all the same and mark them in the files."
)
@click.option(
    "--drop", type=_NUMBERS, metavar="N", multiple=True, help="Offer patch N no longer; its file stays."
)
@click.option(
    "--undo", is_flag=True, help="Put the files back as they were before an --apply that was cut off."
)
@click.option("--leave", is_flag=True, help="Leave them as it left them.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@pass_caller
@click.pass_context
def patches_command(
    context: click.Context,
    caller: Caller,
    *,
    run: str,
    show: int | None,
    apply: tuple[int, ...],
    apply_all: bool,
    markers: bool,
    drop: tuple[int, ...],
    undo: bool,
    leave: bool,
    as_json: bool,
) -> None:
    """List the patches that a run offers, show one, apply some, or drop some.

    RUN is an id, the beginning of one, or `last`. A patch is applied whole or not at all, to the files only:
    nothing is staged or committed. Exit code 1: some patch could not be applied.
    """
    chosen = [bool(show), bool(apply or apply_all), bool(drop), undo, leave]
    if sum(chosen) > 1:
        raise UsageError(
            "--show, --apply, --drop, --undo and --leave are different things", hint="do one after the other"
        )
    if markers and not chosen[1]:
        raise UsageError("--markers is for --apply", hint="add --apply N")
    if undo or leave:
        half_applied.decide(caller, undo=undo)
        return
    record = caller.runs.find(run)
    left = _look_after_leftovers(caller, record)
    review = _review(record)
    if show is not None:
        _show(_patch(review, show))
    elif drop:
        _drop(record, review, drop)
    elif apply or apply_all:
        context.exit(_apply(caller, record, review, apply or None, markers=markers, as_json=as_json))
    elif as_json:
        document = {
            **patch_list.document(record, review, left),
            "half_applied": half_applied.document(caller),
        }
        echo_data(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        patch_list.show(record, review, left)
        half_applied.warn(caller)
        if not review.patches and not left:
            _tell_of_earlier(caller, record)


def _review(record: RunRecord) -> Review:
    from engine.worktree.review import Review

    return Review.of(record.folder)


def _look_after_leftovers(caller: Caller, record: RunRecord) -> list[tuple[Leftover, str]]:
    """Worktrees of this run whose process is gone become patches; those that cannot are returned, with the reason."""
    from engine.surroundings import cache_of
    from engine.worktree.leftovers import leftovers, rescue, sweep, why_left

    place = cache_of(caller.places.cache, caller.places.workspace) / "worktrees"
    sweep(place)
    found = leftovers(place)
    ours = [leftover for leftover in found if leftover.purpose.run == record.run_id]
    for run in sorted({leftover.purpose.run for leftover in found} - {record.run_id}):
        tell(clean_line(f"note: run {run} was cut off and left work: mco patches {run}"))
    return [(leftover, why_left(leftover)) for leftover in ours if not rescue(leftover)]


def _patch(review: Review, number: int) -> KeptPatch:
    if number > len(review.patches):
        has = f"it has {count(len(review.patches), 'patch').replace('patchs', 'patches')}"
        raise UsageError(f"there is no patch {number} in this run", why=has, hint="`mco patches` lists them")
    return review.patches[number - 1]


def _drop(record: RunRecord, review: Review, numbers: Sequence[int]) -> None:
    for number in numbers:
        if _patch(review, number).state == "applied":
            raise UsageError(
                f"patch {number} was applied already",
                hint=f"take it out of the files with: git apply --reverse {_patch(review, number).path}",
            )
    for number in numbers:
        _decide(record, _patch(review, number), "dropped")
        tell(f"patch {number} is dropped; its file stays: {_patch(review, number).path}")


def _tell_of_earlier(caller: Caller, record: RunRecord) -> None:
    """The nearest run before this one that still offers patches: they are easily forgotten behind a newer run."""
    from engine.record.patches import PatchFolder

    for folder in islice(caller.runs.before(record.run_id), _LOOKED_AT):
        if any(patch.state == "offered" for patch in PatchFolder(folder).all()):
            tell(f"run {folder.run_id} still offers some: mco patches {folder.run_id}")
            return


def _show(patch: KeptPatch) -> None:
    data = _read(patch)
    if sys.stdout.isatty():
        echo_data(data.decode(errors="replace").rstrip("\n"))
    else:
        give(data.removesuffix(b"\n"))  # whoever reads it gets every byte


def _read(patch: KeptPatch) -> bytes:
    from engine.record.plain_file import read_plain

    try:
        return read_plain(patch.path)
    except OSError as error:
        raise MCOError("the patch cannot be read", where=str(patch.path), why=error.strerror) from None


def _apply(
    caller: Caller,
    record: RunRecord,
    review: Review,
    numbers: Sequence[int] | None,
    *,
    markers: bool,
    as_json: bool,
) -> int:
    wanted = numbers or [number for number, one in enumerate(review.patches, 1) if one.state == "offered"]
    if not wanted:
        tell("no patch is offered")
    for number in wanted:
        if _patch(review, number).state == "applied":
            raise UsageError(f"patch {number} was applied already", hint="`git diff` shows what it changed")
    for said in review.among(wanted).warnings():
        tell(f"warning: {said}")
    results = [
        _apply_one(caller, record, number, _patch(review, number), markers=markers) for number in wanted
    ]
    if as_json:
        documents = [
            {"number": number, "how": how, "conflicts": list(conflicts), "why": why or None}
            for number, (how, conflicts, why) in zip(wanted, results, strict=True)
        ]
        echo_data(json.dumps({"run_id": record.run_id, "applied": documents}, indent=2, ensure_ascii=False))
    return 0 if all(one.how in ("clean", "merged") for one in results) else 1


def _apply_one(caller: Caller, record: RunRecord, number: int, patch: KeptPatch, *, markers: bool) -> Applied:
    from engine.worktree.application import PatchRefused, apply_patch

    try:
        done = apply_patch(
            caller.places.workspace,
            _read(patch),
            safe=half_applied.safe(caller),
            what=f"applying patch {number} of run {record.run_id}",
            markers=markers,
        )
    except PatchRefused as error:
        error.where = str(patch.path)
        error.hint = error.hint or "read it first; `git apply` takes it by hand, if you are sure"
        raise
    if done.how != "conflicts":
        _decide(record, patch, "applied")
    tell(clean_block(_said(number, done), 1_000))
    return done


def _said(number: int, done: Applied) -> str:
    where = ", ".join(done.conflicts)
    match done.how:
        case "clean":
            return f"patch {number} is applied"
        case "merged":
            return f"patch {number} is applied, merged with what has changed since it was made"
        case "marked":
            return f"patch {number} is applied with conflicts, which are marked in {where}"
        case "conflicts":
            reason = f"conflicts in {where}" if where else done.why
            return f"patch {number} was not applied, and nothing was changed: {reason}" + (
                "\nhint: --markers applies it and marks the conflicts in the files" if where else ""
            )


def _decide(record: RunRecord, patch: KeptPatch, decision: Decision) -> None:
    from engine.record.patches import PatchFolder

    PatchFolder(record.folder).decide(patch, decision)
