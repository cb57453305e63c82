"""The runs before one, from newest to oldest: which of them asked the same step before.

A thousand runs may lie there. Each is looked at as bytes first, and only one that has something is read as a journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from pydantic_core import from_json, to_json

from engine.dispatch.wording import EXCERPT
from engine.errors import StorageFailed
from engine.json_value import is_object
from engine.record.folder import RunFolder
from engine.record.plain_file import open_plain
from workflows.runs import RunStore
from workflows.why.past import PastRun, StepLine

MOST_BYTES = 512 * 1024 * 1024
"""So much of earlier journals is looked at; what is older is not searched, and that is said."""
_LONGEST_JOURNAL = 64 * 1024 * 1024
_QUEUED = b'"kind":"StepQueued","step":'
_KEPT_OPEN = 4
_MOST_CHECKS = 20
"""Runs that are read because a prompt begins alike; many scripts have prompts that all do."""


class _Sought(NamedTuple):
    """A step as the bytes of a journal would have it."""

    label: bytes
    label_occurrence: int
    prompt: bytes
    prompt_occurrence: int
    cut: bool
    """Whether the journals hold only the beginning of its prompt."""


class Match(NamedTuple):
    """The step of an earlier run that one of ours is compared with."""

    run: PastRun
    number: int


class History:
    """The runs before `run`, in the folder of `store`. `complete` turns False when some were not looked at."""

    def __init__(self, store: RunStore, run: PastRun, *, most_bytes: int = MOST_BYTES) -> None:
        self._store = store
        self._run = run
        self._left = most_bytes
        self._checks = _MOST_CHECKS
        self._open: dict[str, PastRun] = {run.run_id: run}
        self.complete = True

    def matches(self, numbers: Iterable[int]) -> Iterator[tuple[int, Match]]:
        """Each of these steps with its nearest earlier one: in the parent, else in the newest run that has it.

        By label first, else by prompt. They come run by run, so that no two runs need to be held at once.
        """
        wanted = {number: self._sought(number) for number in numbers}
        for folder in self._folders():
            if not wanted or not self.complete:
                return
            if not self._has_any(folder, wanted.values()):
                continue
            earlier = self._read(folder)
            if earlier is None:
                continue
            found = {number: match for number in wanted if (match := self._match(earlier, number))}
            for number in found:
                del wanted[number]
            yield from sorted(found.items())

    def line(self, run: PastRun, number: int) -> StepLine | None:
        """What a step asked and was answered: its own line, or the one of the run that it was reused from."""
        step = run.step(number)
        if step.state != "reused":
            return run.line(number)
        source = self._source(step.from_run)
        kept = source.by_key.get(step.key) if source is not None else None
        return source.line(kept) if source is not None and kept is not None else None

    def _source(self, run_id: str | None) -> PastRun | None:
        folder = self._store.folder(run_id) if run_id is not None else None
        return self._read(folder) if folder is not None else None

    def _folders(self) -> Iterator[RunFolder]:
        parent = self._store.folder(self._run.view.parent) if self._run.view.parent else None
        if parent is not None and parent.run_id != self._run.run_id:
            yield parent
        for folder in self._store.before(self._run.run_id):
            if parent is None or folder.run_id != parent.run_id:
                yield folder

    def _read(self, folder: RunFolder) -> PastRun | None:
        """A run, read once while it is needed; only a few are held."""
        known = self._open.get(folder.run_id)
        if known is not None:
            return known
        try:
            run = PastRun(folder, self._run.losses)
        except StorageFailed:
            return None
        while len(self._open) >= _KEPT_OPEN:
            del self._open[next(name for name in self._open if name != self._run.run_id)]
        self._open[folder.run_id] = run
        return run

    def _sought(self, number: int) -> _Sought:
        label, prompt = self._run.labels[number], self._run.prompts[number]
        return _Sought(
            b'"label":' + to_json(label.text),
            label.occurrence,
            b'"prompt":' + to_json(prompt.text),
            prompt.occurrence,
            len(prompt.text) >= EXCERPT,
        )

    def _has_any(self, folder: RunFolder, wanted: Collection[_Sought]) -> bool:
        """Whether it is a run of the same workflow with one of these steps, as far as its bytes tell."""
        try:
            with open_plain(folder.journal) as file:
                if _workflow(file.readline(_LONGEST_JOURNAL)) != self._run.view.workflow:
                    return False
                rest = file.read(_LONGEST_JOURNAL)
        except OSError:
            return False
        self._left -= len(rest)
        self.complete = self._left > 0
        names = list(_names(rest))
        texts = {text for step in wanted for text in (step.label, step.prompt)}
        if texts.isdisjoint(names):
            return False
        seen = Counter(names)
        return any(self._stands_in(seen, step) for step in wanted)

    def _stands_in(self, seen: Counter[bytes], step: _Sought) -> bool:
        if seen[step.label] >= step.label_occurrence:
            return True
        return seen[step.prompt] >= step.prompt_occurrence and (not step.cut or self._checks > 0)

    def _match(self, earlier: PastRun, number: int) -> Match | None:
        found = earlier.by_label.get(self._run.labels[number])
        if found is None:
            found = earlier.by_prompt.get(self._run.prompts[number])
            if found is not None and not self._same_prompt(earlier, found, number):
                return None
        return None if found is None else Match(earlier, found)

    def _same_prompt(self, earlier: PastRun, found: int, number: int) -> bool:
        """The journals hold only the beginning of a prompt; where the whole is known, it decides."""
        if len(self._run.prompts[number].text) < EXCERPT:
            return True
        self._checks -= 1
        old, new = self.line(earlier, found), self.line(self._run, number)
        return old is None or new is None or old.prompt == new.prompt


def _workflow(first: bytes) -> str | None:
    """The workflow of a run by the first line of its journal; None where its answers are no provider's."""
    try:
        value = from_json(first)
    except ValueError:
        return None
    if not is_object(value) or value.get("answers", "providers") != "providers":
        return None
    name = value.get("workflow")
    return name if isinstance(name, str) else None


def _names(journal: bytes) -> Iterator[bytes]:
    """The label and the prompt of every step queued in a journal, as they stand there: found, not parsed.

    A quote inside a JSON text has a backslash before it, so these separators stand only between fields.
    """
    for piece in journal.split(_QUEUED)[1:]:
        head = piece[: piece.find(b'","key":"') + 1]
        label, _, rest = head.partition(b',"phase":"')
        yield label[label.find(b",") + 1 :]
        yield rest[rest.find(b'"prompt":"') :]
