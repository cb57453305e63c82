"""Places of steps: who is served first, and who has one while nobody works."""

from __future__ import annotations

import anyio
import pytest

from engine.dispatch.places import Places, Turn
from engine.errors import CeilingReached

pytestmark = pytest.mark.anyio


async def test_those_that_come_back_are_served_before_those_that_begin():
    places, served = Places(1), list[str]()

    async def take(name: str, *, back: bool) -> None:
        await places.take(back=back)
        served.append(name)
        places.give()

    await places.take()
    async with anyio.create_task_group() as tasks:
        for name, back in (("begins", False), ("begins later", False), ("comes back", True)):
            tasks.start_soon(lambda name=name, back=back: take(name, back=back))
            await anyio.wait_all_tasks_blocked()
        places.give()
    assert served == ["comes back", "begins", "begins later"]
    assert places.free == 1


@pytest.mark.parametrize("given", [False, True], ids=["while it waits", "just when it is its turn"])
async def test_a_cancelled_step_keeps_no_place(given: bool):
    places = Places(1)

    async def step() -> None:
        async with Turn(places, again=lambda: None):
            await anyio.sleep_forever()

    await places.take()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(step)
        await anyio.wait_all_tasks_blocked()
        if given:
            places.give()
        tasks.cancel_scope.cancel()
    if not given:
        places.give()
    assert places.free == 1


async def test_a_step_that_only_waits_gives_its_place_up_and_takes_one_back():
    places = Places(1)
    async with Turn(places, again=lambda: None) as turn:
        assert places.free == 0
        async with turn.resting():
            assert places.free == 1
        assert places.free == 0
    assert places.free == 1


async def test_of_several_branches_the_last_that_works_keeps_the_place():
    places = Places(1)
    async with Turn(places, again=lambda: None) as turn:
        turn.split(3)
        turn.done()
        async with turn.resting():
            assert places.free == 0
            async with turn.resting():
                assert places.free == 1
            assert places.free == 0
        turn.done()
        turn.done()
        assert places.free == 1
    assert places.free == 1


async def test_branches_that_come_back_together_take_one_place():
    places, go_on = Places(2), anyio.Event()
    async with Turn(places, again=lambda: None) as turn:
        turn.split(2)

        async def branch() -> None:
            async with turn.resting():
                await go_on.wait()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(branch)
            tasks.start_soon(branch)
            await anyio.wait_all_tasks_blocked()
            assert places.free == 2
            go_on.set()
        assert places.free == 1
    assert places.free == 2


async def test_what_was_spent_meanwhile_is_looked_at_again():
    def spent() -> None:
        raise CeilingReached("budget", "spent")

    places = Places(1)
    with pytest.raises(CeilingReached):
        async with Turn(places, again=spent) as turn, turn.resting():
            pass
    assert places.free == 1


async def test_a_step_that_is_cancelled_while_it_rests_leaves_every_place_free():
    places = Places(1)

    async def rests() -> None:
        async with Turn(places, again=lambda: None) as turn, turn.resting():
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(rests)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert places.free == 1
