"""How one text became another, line by line, within bounds: a prompt may have megabytes, and is somebody else's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

MOST_COMPARED = 1_000
"""Lines between the first and the last difference that are matched; of more, both versions are shown side by side."""
MOST_SHOWN = 200
_WIDEST = 400
_AROUND = 120
"""Characters of a long line that are shown before its first difference."""
_CONTEXT = 3


class TextChange(NamedTuple):
    """`lines` as in a unified diff; how many lines were `added` and `removed` in all, and what was left out."""

    lines: tuple[str, ...]
    added: int
    removed: int
    left_out: str = ""


def text_change(old: str, new: str) -> TextChange:
    """The difference of two texts that differ. Its work is bounded: little more than their length."""
    before, after = old.splitlines(), new.splitlines()
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    blocks = _blocks(before[head : len(before) - tail], after[head : len(after) - tail])
    lines: list[str] = []
    added = removed = 0
    for hunk in _hunks(blocks, before, after, head):
        lines += hunk.lines
        added, removed = added + hunk.added, removed + hunk.removed
    shown = tuple(lines[:MOST_SHOWN])
    return TextChange(shown, added, removed, _left_out(shown, added + removed))


def _left_out(shown: Sequence[str], changed: int) -> str:
    if not changed:
        return "only the ends of lines differ"
    rest = changed - sum(line[0] in "+-" for line in shown)
    return f"{rest:,} more changed lines" if rest else ""


class _Block(NamedTuple):
    """Lines `start:end` of the old text that became those of the new one."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """How many lines both begin with."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _blocks(before: Sequence[str], after: Sequence[str]) -> list[_Block]:
    if not before and not after:
        return []
    if max(len(before), len(after)) > MOST_COMPARED:
        return [_Block(0, len(before), 0, len(after))]
    matcher = SequenceMatcher(None, before, after)
    return [_Block(*place) for tag, *place in matcher.get_opcodes() if tag != "equal"]


class _Hunk(NamedTuple):
    lines: list[str]
    added: int
    removed: int


def _hunks(
    blocks: Sequence[_Block], before: Sequence[str], after: Sequence[str], head: int
) -> Iterator[_Hunk]:
    """The changed places with the lines around them; those that touch are one."""
    group: list[_Block] = []
    for block in [_moved(block, head) for block in blocks]:
        if group and block.old_start - group[-1].old_end > 2 * _CONTEXT:
            yield _hunk(group, before, after)
            group = []
        group.append(block)
    if group:
        yield _hunk(group, before, after)


def _moved(block: _Block, by: int) -> _Block:
    return _Block(*(place + by for place in block))


def _hunk(group: Sequence[_Block], before: Sequence[str], after: Sequence[str]) -> _Hunk:
    first, last = group[0], group[-1]
    lead = min(_CONTEXT, first.old_start, first.new_start)
    start, end = first.old_start - lead, min(len(before), last.old_end + _CONTEXT)
    new_start, new_end = first.new_start - lead, min(len(after), last.new_end + _CONTEXT)
    lines = [f"@@ -{start + 1},{end - start} +{new_start + 1},{new_end - new_start} @@"]
    at = start
    for block in group:
        lines += [f" {_cut(line)}" for line in before[at : block.old_start]]
        lines += _changed(before[block.old_start : block.old_end], after[block.new_start : block.new_end])
        at = block.old_end
    lines += [f" {_cut(line)}" for line in before[at:end]]
    added = sum(block.new_end - block.new_start for block in group)
    removed = sum(block.old_end - block.old_start for block in group)
    return _Hunk(lines, added, removed)


def _changed(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Removed lines, then added ones. Of long ones the part around their difference is what people need to see."""
    most = MOST_SHOWN // 2
    pairs = list(zip_longest(old, new))[:most] if len(old) + len(new) > MOST_SHOWN else zip_longest(old, new)
    removed: list[str] = []
    added: list[str] = []
    for one, other in pairs:
        start = max(0, _same_beginning(one, other) - _AROUND)
        removed += [] if one is None else [f"-{_cut(one, start)}"]
        added += [] if other is None else [f"+{_cut(other, start)}"]
    return removed + added


def _same_beginning(one: str | None, other: str | None) -> int:
    if one is None or other is None or max(len(one), len(other)) <= _WIDEST:
        return 0
    low, high = 0, min(len(one), len(other))
    while low < high:  # halving: comparing slices is far quicker than walking along them
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def _cut(line: str, start: int = 0) -> str:
    if len(line) <= _WIDEST:
        return line
    end = start + _WIDEST
    return ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
