"""One step to one provider or several, with fakes that fail, hang and answer badly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from engine.dispatch.agreement import merge
from engine.dispatch.attempts import Asking, Attempts, Manner
from engine.dispatch.fanout import Fanout
from engine.dispatch.places import Places, Turn
from engine.dispatch.traffic import Traffic
from engine.errors import StepFailed, UsageError
from engine.providers.base import Progress, Question
from engine.providers.fake import FakeProvider
from engine.step import Answer, ProviderChoice, Step, Usage

pytestmark = pytest.mark.anyio


class Watcher:
    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    def started(self, provider: str, attempt: int) -> None:
        self.seen.append(("started", provider, attempt))

    def progressed(self, provider: str, progress: Progress) -> None:
        self.seen.append(("progressed", provider, progress.text))

    def retried(self, provider: str, attempt: int, failure: StepFailed, delay: float) -> None:
        self.seen.append(("retried", provider, attempt, failure.reason, delay))


class Stage:
    """Providers by name, and the sleeps that were asked for."""

    def __init__(self, **replies: Callable[[Question], Any]) -> None:
        self.providers = {name: FakeProvider(reply, name) for name, reply in replies.items()}
        self.slept: list[float] = []
        self.told: list[tuple[str, str, float]] = []
        self.time = 1000.0
        self.places = Places(8)
        self.traffic = Traffic(
            tell=lambda *pause: self.told.append(pause), now=lambda: self.time, sleep=self.sleep
        )
        self.watcher = Watcher()

    async def ask(self, step: Step, *, stem: str | None = None, **manner: Any) -> Answer:
        defaults: dict[str, Any] = {"timeout": None, "stall_timeout": 9.0, "retries": 2}
        given = Manner(
            workspace=Path("/nowhere"), sleep=self.sleep, jitter=lambda: 1.0, **{**defaults, **manner}
        )
        fanout = Fanout(Attempts(self.providers.__getitem__, given, self.traffic))
        async with Turn(self.places, again=lambda: None) as turn:
            return await fanout.ask(Asking(step, self.watcher, turn, stem))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await anyio.lowlevel.checkpoint()


def step(*names: str, **facts: Any) -> Step:
    return Step(prompt="p", providers=tuple(ProviderChoice(name=name) for name in names), **facts)


def fails(reason: Any, message: str = "no", **facts: Any) -> Callable[[Question], Any]:
    def reply(question: Question) -> Any:
        raise StepFailed(reason, message, **facts)

    return reply


async def test_what_heals_is_tried_again_and_told():
    replies = iter([StepFailed("network", "gone"), StepFailed("rate_limited", "slow", retry_after=7), "yes"])

    def reply(question: Question) -> Any:
        answer = next(replies)
        if isinstance(answer, StepFailed):
            raise answer
        return answer

    stage = Stage(a=reply)
    answer = await stage.ask(step("a"))
    assert (answer.value, answer.provider, stage.slept) == ("yes", "a", [1.0, 8.0])
    assert [entry[0] for entry in stage.watcher.seen] == [
        "started",
        "retried",
        "started",
        "retried",
        "started",
    ]


async def test_what_does_not_heal_fails_at_once_with_its_provider():
    stage = Stage(a=fails("auth", "log in"))
    with pytest.raises(StepFailed) as caught:
        await stage.ask(step("a"))
    assert (caught.value.reason, caught.value.provider, stage.slept) == ("auth", "a", [])


async def test_an_empty_answer_is_no_answer():
    with pytest.raises(StepFailed, match="empty"):
        await Stage(a=lambda question: "  \n").ask(step("a"))


async def test_a_deadline_ends_a_provider_that_hangs():
    async def hang(question: Question) -> Any:
        await anyio.sleep_forever()

    with pytest.raises(StepFailed) as caught:
        await Stage(a=hang).ask(step("a", timeout=0.01), retries=0)
    assert caught.value.reason == "timeout"


async def test_failover_asks_in_order_until_one_answers():
    stage = Stage(a=fails("quota"), b=lambda question: "from b", c=fails("auth"))
    answer = await stage.ask(step("a", "b", "c"))
    assert (answer.value, answer.provider) == ("from b", "b")
    assert stage.watcher.seen == [
        ("started", "a", 1),
        ("progressed", "a", "no answer from a, quota: no"),
        ("started", "b", 1),
    ]


async def test_a_race_takes_the_first_good_answer_and_ends_the_rest():
    ended: list[str] = []

    async def slow(question: Question) -> Any:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("slow")

    async def quick(question: Question) -> Any:
        await anyio.lowlevel.checkpoint()
        return "quick"

    stage = Stage(slow=slow, broken=fails("auth"), quick=quick)
    answer = await stage.ask(step("slow", "broken", "quick", strategy="race"))
    assert (answer.value, answer.provider, ended) == ("quick", "quick", ["slow"])


async def test_all_waits_for_all_and_lists_them_in_the_given_order():
    usage = Usage(input_tokens=5)
    stage = Stage(
        a=lambda question: Answer(value="A", usage=usage),
        b=fails("refused", "will not"),
        c=lambda question: Answer(value="C", usage=usage),
    )
    answer = await stage.ask(step("a", "b", "c", strategy="all"))
    assert answer.value == [
        {"provider": "a", "ok": True, "output": "A", "error": None},
        {"provider": "b", "ok": False, "output": None, "error": {"reason": "refused", "message": "will not"}},
        {"provider": "c", "ok": True, "output": "C", "error": None},
    ]
    assert answer.usage.tokens == 10


async def test_one_provider_alone_is_combined_like_several():
    stage = Stage(a=lambda question: {"findings": [{"title": "t"}]})
    everything = await stage.ask(step("a", strategy="all"))
    assert [entry["provider"] for entry in everything.value] == ["a"]
    agreed = await stage.ask(step("a", strategy="agree"))
    assert agreed.value == {"findings": [{"title": "t", "detected_by": ["a"], "agreement": 1.0}]}


async def test_two_models_of_one_provider_are_told_apart(tmp_path: Path):
    raw: list[Path | None] = []
    stage = Stage(a=lambda question: raw.append(question.raw) or "ok")
    choices = (ProviderChoice(name="a", model="big"), ProviderChoice(name="a", model="small"))
    asked = Step(prompt="p", providers=choices, strategy="all")
    answer = await stage.ask(asked, stem=str(tmp_path / "1-x"))
    assert [entry["provider"] for entry in answer.value] == ["a:big", "a:small"]
    assert len(set(raw)) == 2


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "text",
        Answer(value="x", usage=None),  # pyright: ignore[reportArgumentType]
        Answer(value="x", usage=Usage(input_tokens=-1)),
        Answer(value="x", usage=Usage(input_tokens=2.5)),  # pyright: ignore[reportArgumentType]
        Answer(value="x", usage=Usage(cost=float("nan"))),
        Answer(value="x", model=3),  # pyright: ignore[reportArgumentType]
    ],
)
async def test_an_adapter_that_answers_with_something_odd_fails_its_step(odd: Any):
    class Odd(FakeProvider):
        async def ask(self, question: Question, report: Any) -> Any:
            return odd

    stage = Stage()
    stage.providers["odd"] = Odd(lambda question: None, "odd")
    with pytest.raises(StepFailed, match="odd gave no answer") as caught:
        await stage.ask(step("odd"), retries=0)
    assert caught.value.reason == "crashed"


@pytest.mark.parametrize(
    "value",
    ['{"a": "\\ud800"}', "[" * 900 + "]" * 900, '{"a": 1e999}', {"a": {1, 2}}, {"a": float("nan")}],
    ids=["half a pair", "deep", "infinite", "set", "no number"],
)
async def test_what_could_not_be_written_down_is_no_answer(value: Any):
    with pytest.raises(StepFailed) as caught:
        await Stage(a=lambda question: value).ask(step("a", schema=True), retries=0)
    assert caught.value.reason == "bad_output"


async def test_an_answer_is_what_will_be_found_again():
    answer = await Stage(a=lambda question: {"b": (1, 2), 1: 10**30}).ask(step("a", schema=True))
    assert answer.value == {"b": [1, 2], "1": 10**30}


async def test_what_an_adapter_raises_in_a_task_group_keeps_its_reason():
    async def reply(question: Question) -> Any:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(refuse)

    async def refuse() -> None:
        raise StepFailed("quota", "used up", hint="wait")

    with pytest.raises(StepFailed, match="used up") as caught:
        await Stage(a=reply).ask(step("a"))
    assert (caught.value.reason, caught.value.hint) == ("quota", "wait")


async def test_only_a_failed_step_or_a_disk_comes_through_as_it_is():
    def reply(question: Question) -> Any:
        raise UsageError("not for a provider to say")

    with pytest.raises(StepFailed) as caught:
        await Stage(a=reply).ask(step("a"), retries=0)
    assert caught.value.reason == "crashed"


async def test_when_everybody_fails_the_error_names_them_all():
    for strategy in ("all", "race", "failover", "agree"):
        stage = Stage(a=fails("quota", "used up"), b=fails("auth", "log in"), c=fails("quota", "spent"))
        with pytest.raises(StepFailed) as caught:
            await stage.ask(step("a", "b", "c", strategy=strategy))
        assert caught.value.reason == "quota"
        assert "a: used up" in str(caught.value)
        assert "b: log in" in str(caught.value)


async def test_each_provider_may_have_its_own_model_timeout_and_access():
    asked: list[Question] = []
    stage = Stage(a=lambda question: asked.append(question) or "ok")
    choice = ProviderChoice(name="a", model="big", timeout=5.0, access="write")
    await stage.ask(Step(prompt="p", providers=(choice,), model="small", timeout=1.0))
    assert (asked[0].model, asked[0].timeout, asked[0].access) == ("big", 5.0, "write")


def test_findings_are_merged_by_what_and_where():
    first = {
        "findings": [
            {"category": "bug", "title": "Off by  one", "file": "a.py", "line": 3, "severity": "high"}
        ]
    }
    second = {
        "findings": [
            {"category": "bug", "title": "new", "file": "b.py", "line": 1},
            {"category": "Bug", "title": "off by one", "file": "a.py", "line": 3},
        ]
    }
    merged = merge([("x", first), ("y", second)])["findings"]
    assert [(f["title"], f["detected_by"], f["agreement"]) for f in merged] == [
        ("Off by  one", ["x", "y"], 1.0),
        ("new", ["y"], 0.5),
    ]


def test_findings_that_are_no_objects_are_any_other_answer():
    assert merge([("x", {"findings": ["a"]}), ("y", {"findings": ["a"]})]) == {"findings": ["a"]}


def test_other_answers_agree_by_majority_and_the_given_order_breaks_ties():
    assert merge([("x", "No"), ("y", "yes"), ("z", "Yes ")]) == "yes"
    assert merge([("x", {"a": 1}), ("y", {"a": 2})]) == {"a": 1}


async def test_an_answer_that_does_not_fit_goes_back_to_the_model_with_what_is_wrong():
    prompts: list[str] = []

    def reply(question: Question) -> Any:
        prompts.append(question.prompt)
        return "no JSON at all" if len(prompts) == 1 else {"n": "x"} if len(prompts) == 2 else {"n": 1}

    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    stage = Stage(a=reply)
    answer = await stage.ask(step("a", schema=schema))
    assert (answer.value, stage.slept) == ({"n": 1}, [0.0, 0.0])
    assert prompts[0] == "p"
    assert prompts[1].startswith("p\n\nYour last answer could not be used: ")
    assert '$.n: "x" is not of type "integer"' in prompts[2]
    assert "no JSON" not in prompts[2]


async def test_a_model_that_never_gets_it_right_is_bad_output():
    asked: list[Question] = []
    stage = Stage(a=lambda question: asked.append(question) or "prose")
    with pytest.raises(StepFailed) as caught:
        await stage.ask(step("a", schema={"type": "integer"}), retries=2)
    assert (caught.value.reason, len(asked)) == ("bad_output", 3)


async def test_an_answer_costs_what_its_failed_attempts_cost_too():
    replies = iter(
        [
            Answer(value="prose", usage=Usage(input_tokens=10, cost=0.25)),
            StepFailed("network", "cut", usage=Usage(input_tokens=5)),
            Answer(value=7, usage=Usage(input_tokens=1, output_tokens=2)),
        ]
    )

    def reply(question: Question) -> Any:
        given = next(replies)
        if isinstance(given, StepFailed):
            raise given
        return given

    answer = await Stage(a=reply).ask(step("a", schema={"type": "integer"}))
    assert (answer.value, answer.usage) == (7, Usage(input_tokens=16, output_tokens=2, cost=0.25))


@pytest.mark.parametrize("strategy", ["failover", "all", "agree"])
async def test_what_a_provider_spent_before_it_failed_is_counted(strategy: Any):
    stage = Stage(
        a=fails("refused", usage=Usage(output_tokens=4)),
        b=lambda question: Answer(value="yes", usage=Usage(output_tokens=1)),
    )
    assert (await stage.ask(step("a", "b", strategy=strategy))).usage == Usage(output_tokens=5)


async def test_when_all_fail_the_failure_says_what_they_spent():
    spent = Usage(cost=0.5)
    stage = Stage(a=fails("refused", usage=spent), b=fails("auth", usage=spent))
    with pytest.raises(StepFailed) as caught:
        await stage.ask(step("a", "b", strategy="all"))
    assert caught.value.usage == Usage(cost=1.0)


async def test_a_loser_that_had_its_answer_already_is_paid_for():
    both = anyio.Event()

    async def reply(question: Question) -> Any:
        await both.wait()
        return Answer(value="yes", usage=Usage(input_tokens=3))

    stage = Stage(a=reply, b=reply)
    async with anyio.create_task_group() as tasks:
        answers: list[Answer] = []

        async def ask() -> None:
            answers.append(await stage.ask(step("a", "b", strategy="race")))

        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        both.set()
    assert [answer.usage.input_tokens for answer in answers] == [6]


async def test_a_failing_adapter_cannot_make_us_wait_or_count_nonsense():
    for odd in (float("nan"), float("inf"), -1, "soon", 10**9):
        stage = Stage(a=fails("quota", retry_after=odd, usage=Usage(input_tokens=-5)))
        with pytest.raises(StepFailed) as caught:
            await stage.ask(step("a"))
        assert (caught.value.retry_after, caught.value.usage, stage.slept) == (None, Usage(), [])


async def test_a_quota_that_is_soon_there_again_is_waited_for_once():
    replies = iter([StepFailed("quota", "used up", retry_after=30), "yes"])

    def reply(question: Question) -> Any:
        given = next(replies)
        if isinstance(given, StepFailed):
            raise given
        return given

    stage = Stage(a=reply)
    assert (await stage.ask(step("a"))).value == "yes"
    assert (stage.slept, stage.told) == ([31.0], [("a", "quota", 30)])


async def test_where_there_is_another_provider_a_paused_one_is_not_waited_for():
    asked: list[str] = []
    stage = Stage(
        a=fails("quota", "used up", retry_after=30), b=lambda question: asked.append("b") or "from b"
    )
    for _ in range(3):
        assert (await stage.ask(step("a", "b"))).provider == "b"
    assert (stage.slept, asked) == ([], ["b"] * 3)
    assert [entry for entry in stage.watcher.seen if entry[:2] == ("started", "a")] == [("started", "a", 1)]


async def test_a_step_that_waits_for_its_retry_gives_its_place_to_others():
    stage = Stage(a=fails("network"))
    stage.places = Places(1)
    free: list[int] = []

    async def sleep(seconds: float) -> None:
        free.append(stage.places.free)

    stage.sleep = sleep  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(StepFailed):
        await stage.ask(step("a"))
    assert (free, stage.places.free) == ([1, 1], 1)


async def test_the_retry_of_a_cancelled_step_never_comes():
    asked: list[Question] = []
    waits = anyio.Event()

    def reply(question: Question) -> Any:
        asked.append(question)
        raise StepFailed("network", "gone")

    async def sleep(seconds: float) -> None:
        waits.set()
        await anyio.sleep_forever()

    stage = Stage(a=reply)
    stage.sleep = sleep  # pyright: ignore[reportAttributeAccessIssue]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stage.ask, step("a"))
        await waits.wait()
        tasks.cancel_scope.cancel()
    assert (len(asked), stage.places.free) == (1, 8)
