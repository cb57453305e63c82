"""Which answers are found again, and which are on the disk itself before a script sees them; on a real store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.dispatch.reuse import DEAR_SECONDS, Reuse
from engine.errors import StorageFailed
from engine.record.events import Happening, Logged
from engine.record.long_text import LONG
from engine.record.stream import Stream
from engine.step import Answer, KeyMaker, Patch, Step, Usage
from engine.store.cache import AnswerCache
from engine.store.group_put import Fresh
from engine.store.kept import KeptAnswer
from tests.rig import Rig, events
from tests.store.rows_of import keep, spoil

OLD, EXPIRE = 1_000.0, 60.0
STEP = Step(prompt="p", label="one", reads=())
IN_PLACE = STEP._replace(access="write")


def key_of(step: Step):
    return KeyMaker().key(step, None)


class Kept:
    """The events of a stream."""

    def __init__(self) -> None:
        self.events: list[Happening] = []
        self.synced = 0

    def write(self, event: Happening, *, more: bool = False, sync: bool = False) -> None:
        self.events.append(event)

    def flush(self) -> None:
        """Nothing waits."""

    def sync(self) -> None:
        self.synced += 1


@pytest.fixture
def sink() -> Kept:
    return Kept()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "answers"


def reuse(store: Path, sink: Kept, now: float = 0.0, **options: Any) -> closing[Reuse]:
    given: dict[str, Any] = {"run_id": "mine", "expire": EXPIRE, "fresh": False, **options}
    return closing(Reuse(store, stream=Stream(sink, lambda: now), clock=lambda: now, **given))


def made(store: Path, sink: Kept, step: Step, *, run: str = "before", **answer: Any) -> None:
    """An earlier run has the answer to a step."""
    with reuse(store, sink, run_id=run) as earlier:
        anyio.run(earlier.keep, step, key_of(step), Answer("said", provider="fake", **answer))


def found(store: Path, sink: Kept, step: Step, now: float, **options: Any) -> str:
    """The run that an answer comes from, or why there is none."""
    with reuse(store, sink, now, **options) as later:
        kept = later.find(step, key_of(step))
    return kept.run if isinstance(kept, KeptAnswer) else kept


def test_an_answer_expires_for_others_but_not_for_the_runs_that_go_on_from_the_one_that_made_it(
    store: Path, sink: Kept
):
    made(store, sink, STEP)
    assert found(store, sink, STEP, EXPIRE) == "before"
    assert found(store, sink, STEP, EXPIRE + 1) == "expired"
    assert found(store, sink, STEP, OLD, lineage=frozenset({"before", "first"})) == "before"
    assert found(store, sink, STEP, OLD, lineage=frozenset({"first"})) == "expired"


def test_the_age_that_a_script_allows_holds_for_a_resumed_run_too(store: Path, sink: Kept):
    step = STEP._replace(cache=5.0)
    made(store, sink, step)
    assert found(store, sink, step, 4.0, lineage=frozenset({"before"})) == "before"
    assert found(store, sink, step, 6.0, lineage=frozenset({"before"})) == "expired"


def test_the_age_that_the_user_allows_bounds_what_a_script_does_but_not_a_resumed_run(
    store: Path, sink: Kept
):
    step = STEP._replace(cache=EXPIRE * 9)
    made(store, sink, step)
    assert found(store, sink, step, EXPIRE + 1) == "expired"
    assert found(store, sink, step, EXPIRE + 1, lineage=frozenset({"before"})) == "before"


def test_what_was_written_in_place_is_found_by_those_alone_that_go_on_from_it(store: Path, sink: Kept):
    made(store, sink, IN_PLACE)
    assert found(store, sink, IN_PLACE, 0.0) == "writes"
    assert found(store, sink, IN_PLACE, 0.0, lineage=frozenset({"another"})) == "writes"
    assert found(store, sink, IN_PLACE, OLD, lineage=frozenset({"before"})) == "before"


@pytest.mark.parametrize(
    ("step", "options", "why"),
    [
        (STEP, {"fresh": True}, "forced"),
        (STEP._replace(cache=False), {}, "uncached"),
        (IN_PLACE._replace(cache=False), {}, "uncached"),
        (STEP._replace(prompt="q"), {}, "new"),
    ],
)
def test_why_there_is_no_answer_is_told(
    store: Path, sink: Kept, step: Step, options: dict[str, Any], why: str
):
    made(store, sink, STEP)
    assert found(store, sink, step, 0.0, **options) == why


def test_what_is_not_to_be_kept_makes_no_store(store: Path, sink: Kept):
    made(store, sink, STEP._replace(cache=False))
    made(store, sink, STEP, complete=False)
    with reuse(store, sink, read_only=True) as looking:
        assert looking.find(STEP, key_of(STEP)) == "new"
        anyio.run(looking.keep, STEP, key_of(STEP), Answer("said"))
    assert not store.exists()


def test_a_row_that_cannot_be_read_is_told_once_and_is_no_answer(store: Path, sink: Kept):
    keep(store, "p")
    spoil(store, "UPDATE Cache SET value = '{'")
    assert found(store, sink, STEP, 0.0) == "new"
    (said,) = sink.events
    assert isinstance(said, Logged)
    assert (said.level, said.source) == ("warning", "mco")


def test_a_store_that_cannot_be_made_is_an_error(store: Path, sink: Kept):
    store.write_text("no folder")
    with reuse(store, sink) as none, pytest.raises(StorageFailed):
        none.find(STEP, key_of(STEP))


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, bytes]]:
    """What we have put on the disk itself: file and content, each time."""
    seen: list[tuple[Path, bytes]] = []
    real = os.fsync

    def fsync(file: int) -> None:
        path = Path(f"/proc/self/fd/{file}").resolve()
        seen.append((path, path.read_bytes() if path.is_file() else b""))
        real(file)

    if not Path("/proc/self/fd").exists():
        pytest.skip("nothing here says which file a descriptor is")
    monkeypatch.setattr(os, "fsync", fsync)
    return seen


@pytest.mark.parametrize(
    "answer",
    [
        {"seconds": DEAR_SECONDS},
        {"usage": Usage(input_tokens=1)},
        {"usage": Usage(cost=0.01)},
        {"patches": (Patch(b"diff", "HEAD", "fake", ()),)},
    ],
)
def test_an_answer_that_is_worth_something_is_on_the_disk_itself_before_the_script_sees_it(
    store: Path, sink: Kept, synced: list[tuple[Path, bytes]], answer: dict[str, Any]
):
    made(store, sink, STEP, **answer)
    ((path, content),) = synced
    assert path == store / "cache.db-wal"
    assert key_of(STEP).digest.encode() in content
    assert sink.synced == 1  # nor is the run forgotten


def test_a_long_answer_is_on_the_disk_itself_as_well(
    store: Path, sink: Kept, synced: list[tuple[Path, bytes]]
):
    digest = key_of(STEP).digest
    with reuse(store, sink) as earlier:
        anyio.run(earlier.keep, STEP, key_of(STEP), Answer("x" * LONG, provider="fake", seconds=DEAR_SECONDS))
    assert [path.relative_to(store) for path, _ in synced] == [
        Path("texts") / digest,
        Path("texts"),
        Path("cache.db-wal"),
    ]
    assert synced[0][1] == b"x" * LONG


def test_a_quick_answer_that_cost_nothing_does_not_wait_for_the_disk(
    store: Path, sink: Kept, synced: list[tuple[Path, bytes]]
):
    made(store, sink, STEP, seconds=DEAR_SECONDS * 0.99)
    assert synced == []


@pytest.mark.anyio
@pytest.mark.parametrize(("access", "on_disk"), [("write", True), ("read", False)])
async def test_that_a_step_began_to_change_files_is_on_the_disk_itself_before_it_does(
    tmp_path: Path, synced: list[tuple[Path, bytes]], access: str, on_disk: bool
):
    rig = Rig(tmp_path)
    before: list[bool] = []

    def reply(question: Any) -> str:
        journals = [content for path, content in synced if path.name == "journal.jsonl"]
        before.append(any(b'"kind":"StepStarted"' in content for content in journals))
        return "done"

    source = f'async def main(args):\n    return await agent("p", access={access!r}, reads=[])\n'
    outcome = await rig.run(source, reply=reply, access="write")
    assert outcome.status == "done"
    assert before == [on_disk]
    assert synced[-1][0].name == "journal.jsonl"
    assert events(outcome)[-1].kind == "RunFinished"
    assert b'"kind":"RunFinished"' in synced[-1][1]


@pytest.mark.parametrize(("length", "together"), [(10, 2), (LONG, 1)])
def test_short_answers_of_one_moment_are_put_together_and_long_ones_alone(
    store: Path, sink: Kept, monkeypatch: pytest.MonkeyPatch, length: int, together: int
) -> None:
    batches: list[int] = []
    real = AnswerCache.put_all

    def put_all(self: AnswerCache, fresh: Sequence[Fresh], run: str) -> None:
        batches.append(len(fresh))
        real(self, fresh, run)

    monkeypatch.setattr(AnswerCache, "put_all", put_all)

    async def both(earlier: Reuse, *, alone: bool) -> None:
        async with anyio.create_task_group() as tasks:
            for prompt in ("a", "b"):
                step = Step(prompt=prompt, reads=())
                answer = Answer("x" * length, provider="fake")
                tasks.start_soon(partial(earlier.keep, step, key_of(step), answer, alone=alone))

    with reuse(store, sink) as earlier:
        anyio.run(partial(both, earlier, alone=False))
        assert batches == [together] * (2 // together)
        batches.clear()
        anyio.run(partial(both, earlier, alone=True))
        assert batches == [1, 1]
