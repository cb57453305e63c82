"""What services say instead of an answer, in the shapes that they say it in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.errors import StepFailed
from engine.providers.openai.failures import complaint, refusal, retry_after
from engine.providers.openai.hearing import Hearing

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("status", "body", "reason", "said"),
    [
        (400, {"error": "a sentence"}, "refused", "a sentence"),
        (400, {"message": "bare"}, "refused", "bare"),
        (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, "refused", "field required"),
        (429, {"error": {"message": "no", "code": "insufficient_quota"}}, "quota", "no (insufficient_quota)"),
        (400, {"error": {"message": "x", "code": "context_length_exceeded"}}, "unsupported", "x (context"),
        (400, "request (9 tokens) exceeds the available context size (2 tokens)", "unsupported", "9 tokens"),
        (413, "Input is too long: reduce the length of the messages", "unsupported", "reduce the length"),
        (502, "<html>Bad gateway</html>", "network", "<html>"),
        (307, "", "network", "it answered with status 307"),
        (500, "[" * 100_000, "network", "[["),
        (500, {"error": [[[]]]}, "network", "status 500"),
    ],
)
def test_a_refusal_has_its_reason_and_its_words(status: int, body: Any, reason: str, said: str):
    failed = refusal(status, body if isinstance(body, str) else json.dumps(body), {}, NOW)
    assert (failed.reason, said in str(failed)) == (reason, True)
    assert len(str(failed)) <= 700


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60.0),
        (
            {"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT", "date": "Tue, 14 Nov 2023 22:14:00 GMT"},
            20.0,
        ),
        ({"retry-after": "Tue, 14 Nov 2000 22:14:20 GMT"}, 0.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Tue, 99 Nov 99999 22:14:20 GMT"}, None),
        ({}, None),
    ],
)
def test_the_wait_is_read_in_every_form(headers: dict[str, str], seconds: float | None):
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"message": "slow", "code": 429}, "rate_limited"),
        ({"message": "it fell over", "code": 502}, "network"),
        ({"message": "it fell over"}, "network"),
        ("it fell over", "network"),
        (7, "network"),
    ],
)
def test_an_error_in_the_middle_of_a_stream_is_one(error: Any, reason: str):
    assert complaint(error).reason == reason
    with pytest.raises(StepFailed) as caught:
        list(Hearing("m", str).chunk(json.dumps({"error": error})))
    assert caught.value.reason == reason


def heard(*chunks: Any) -> Hearing:
    hearing = Hearing("m", str)
    for chunk in chunks:
        list(hearing.chunk(chunk if isinstance(chunk, str) else json.dumps(chunk)))
    return hearing


def choice(ending: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": ending}]}


def test_thoughts_are_shown_and_are_no_part_of_the_answer():
    hearing = Hearing("m", str)
    (shown,) = hearing.chunk(json.dumps(choice(reasoning_content="hm")))
    assert (shown.what, shown.text) == ("text", "hm")
    list(hearing.chunk(json.dumps(choice("stop", content="yes"))))
    assert hearing.answer().value == "yes"


def test_a_refusal_of_the_model_is_no_answer():
    with pytest.raises(StepFailed, match="the model refuses: I will not") as caught:
        heard(choice(refusal="I will "), choice("stop", refusal="not")).answer()
    assert caught.value.reason == "refused"


def test_a_stream_that_ends_without_saying_so_is_no_answer():
    with pytest.raises(StepFailed, match="ended before the answer did") as caught:
        heard(choice(content="half")).answer()
    assert caught.value.reason == "network"


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": None},
        {"choices": [7, None]},
        {"choices": [{"delta": []}]},
        {"choices": [{"delta": {"content": [1]}, "finish_reason": 3}]},
        {"usage": {"prompt_tokens": -1, "completion_tokens": "many", "prompt_tokens_details": None}},
        [],
        "null",
    ],
)
def test_what_no_service_should_send_says_nothing(odd: Any):
    answer = heard(odd, choice("stop", content="whole"), odd).answer()
    assert answer.value == "whole"
    assert answer.usage.tokens is None


def test_what_is_not_json_is_a_failure():
    with pytest.raises(StepFailed, match="not JSON") as caught:
        heard("{half")
    assert caught.value.reason == "bad_output"


def test_letters_that_are_cut_between_pieces_stay_whole():
    hearing = Hearing("m", str)
    pieces = [json.dumps(choice(content=piece)) for piece in ("é" * 79 + "x", "é")]
    shown = [progress.text for piece in pieces for progress in hearing.chunk(piece)]
    assert shown[-1] == "é" * 78 + "x" + "é"
    list(hearing.chunk(json.dumps(choice("stop"))))
    assert hearing.answer().value == "é" * 79 + "xé"
