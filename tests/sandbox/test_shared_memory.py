"""Long texts that go to a worker through memory: where they stand, and that every text arrives."""

from __future__ import annotations

import mmap
import os
import sys

import hypothesis.strategies as some
import pytest
from hypothesis import given, settings

from engine.sandbox import shared_memory
from engine.sandbox.shared_memory import BYTES, LONG, Inbox, Outbox
from tests.sandbox.play import body, play

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")


def inbox(outbox: Outbox) -> Inbox:
    assert outbox.descriptor is not None
    return Inbox(memoryview(mmap.mmap(outbox.descriptor, shared_memory.BYTES, prot=mmap.PROT_READ)))


@given(sizes=some.lists(some.tuples(some.integers(1, 400), some.integers(0, 5)), max_size=60))
@settings(deadline=None)
def test_no_text_is_written_over_before_it_was_read(sizes: list[tuple[int, int]]):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(shared_memory, "BYTES", 4096)
        outbox = Outbox()
        reading, waiting = inbox(outbox), dict[int, tuple[str, shared_memory.Place]]()
        for number, (size, seen) in enumerate(sizes, start=1):
            text = chr(64 + number % 50) * size
            place = outbox.put(text, number)
            if place is not None:
                waiting[number] = text, place
            for each in [each for each in waiting if each <= number - seen]:
                said, where = waiting.pop(each)
                assert reading.take(*where) == said
            outbox.seen(number - seen)
        for said, where in waiting.values():
            assert reading.take(*where) == said
        outbox.close()


def test_what_does_not_fit_goes_another_way():
    outbox = Outbox()
    assert outbox.put("x" * (BYTES - 1), 1) == (0, BYTES - 1)
    assert outbox.put("xx", 2) is None
    assert outbox.put("\ud800" * LONG, 3) is None
    outbox.seen(1)
    assert outbox.put("é" * (BYTES // 2), 4) == (0, BYTES)
    outbox.close()
    outbox.close()
    assert outbox.put("x", 5) is None


@pytest.mark.parametrize("call", ["memfd_create", "ftruncate"])
def test_where_there_is_no_memory_everything_goes_another_way(call: str, monkeypatch: pytest.MonkeyPatch):
    def refused(*_: object) -> int:
        raise OSError(1, "refused")

    monkeypatch.setattr(os, call, refused)
    outbox = Outbox()
    assert outbox.descriptor is None
    assert outbox.put("x", 1) is None
    with pytest.raises(ValueError, match="no memory"):
        Inbox(None).take(0, 1)


@pytest.mark.anyio
@pytest.mark.parametrize("shared", [True, False])
async def test_long_answers_arrive_whole_whichever_way_they_take(
    shared: bool, monkeypatch: pytest.MonkeyPatch
):
    if not shared:
        monkeypatch.setattr(shared_memory, "LONG", 2**40)
        monkeypatch.setattr("engine.sandbox.host.LONG", 2**40)
    script = body(
        'texts = [letter * 200_000 for letter in "aé€😀"] * 3\n'
        "echoed = await parallel([agent(text) for text in texts])\n"
        "again = [await agent(text) for text in texts[:4]]\n"
        "return [echoed == ['echo:' + text for text in texts], again == echoed[:4]]"
    )
    played = await play(script)
    assert played.result == [True, True]
