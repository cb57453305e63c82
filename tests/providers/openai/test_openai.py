"""The provider `openai` against a model server on loopback."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import anyio.to_thread
import pytest

from engine.errors import StepFailed
from engine.providers.openai import hearing, service
from engine.step import Usage
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.wire_formats import Call, Reply, Tokens
from tests.providers.openai.endpoint_asker import KEY, EndpointAsker

pytestmark = pytest.mark.anyio
STRICT = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
LOOSE = {"type": "object", "properties": {"n": {"type": "integer"}}}


async def failure_of(asker: EndpointAsker, **question: Any) -> StepFailed:
    with pytest.raises(StepFailed) as caught:
        await asker.ask(**question)
    return caught.value


async def test_it_answers_with_usage_to_the_token(tmp_path: Path):
    tokens = Tokens(input=10118, cached=5059, output=80, reasoning=7)
    with ModelServer(Reply("hello there", tokens=tokens)) as server:
        asker = EndpointAsker(server.address, tmp_path, organization="ours")
        answer = await asker.ask("Say hello.", effort="high")
    assert answer.value == "hello there"
    assert answer.model == "a-model"
    assert answer.usage == Usage(
        input_tokens=10118, cached_tokens=5059, output_tokens=80, reasoning_tokens=7, cost=None
    )
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["openai-organization"] == "ours"
    assert request.body == {
        "model": "a-model",
        "messages": [{"role": "user", "content": "Say hello."}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "reasoning_effort": "high",
    }
    assert [progress.text for progress in asker.progress] == ["hello ", "hello there"]
    assert list(tmp_path.iterdir()) == []


async def test_a_step_comes_before_the_table_and_the_table_sets_the_rest(tmp_path: Path):
    with ModelServer() as server:
        asker = EndpointAsker(server.address, tmp_path, effort="low", max_tokens=50, temperature=0.5)
        await asker.ask(model="another", effort="high")
        await asker.ask()
    first, second = (request.body for request in server.requests)
    assert (first["model"], first["reasoning_effort"]) == ("another", "high")
    assert (second["model"], second["reasoning_effort"]) == ("a-model", "low")
    assert (second["max_tokens"], second["temperature"]) == (50, 0.5)


async def test_a_prompt_of_400_kilobytes_arrives_byte_for_byte(tmp_path: Path):
    prompt = "/clear @file 'q' \"d\" é \x1b[0m\r\n$(id)\t" + "words " * 66_000 + "end  \n"
    with ModelServer() as server:
        await EndpointAsker(server.address, tmp_path).ask(prompt)
    assert server.requests[0].body["messages"][0]["content"] == prompt


@pytest.mark.parametrize(("schema", "strict"), [(STRICT, True), (LOOSE, False)])
async def test_a_schema_is_asked_for_by_option_and_by_prompt(
    tmp_path: Path, schema: dict[str, Any], strict: bool
):
    with ModelServer(Reply('{"n": 5}')) as server:
        answer = await EndpointAsker(server.address, tmp_path).ask(schema=schema)
    assert answer.value == '{"n": 5}'
    body = server.requests[0].body
    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": strict, "schema": schema},
    }
    assert "valid against this JSON Schema" in body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("structured", "schema", "wanted"),
    [
        ("json_object", STRICT, {"type": "json_object"}),
        ("json_object", {"type": "array"}, None),
        ("json_schema", {"type": "array"}, None),
        ("json_schema", True, None),
        ("prompt", STRICT, None),
    ],
)
async def test_a_service_gets_only_the_schema_option_it_takes(
    tmp_path: Path, structured: str, schema: Any, wanted: Any
):
    with ModelServer(Reply("{}")) as server:
        await EndpointAsker(server.address, tmp_path, structured=structured).ask(schema=schema)
    body = server.requests[0].body
    assert body.get("response_format") == wanted
    assert "valid against this JSON Schema" in body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ("'response_format.type' must be 'text'", "response_format"),
        ("Invalid schema: unknown type", "response_format"),
        ("unknown field stream_options", "stream_options"),
    ],
)
async def test_what_a_service_does_not_know_is_left_out(tmp_path: Path, said: str, part: str):
    with ModelServer(Reply(said, status=400), Reply('{"n": 5}')) as server:
        asker = EndpointAsker(server.address, tmp_path)
        assert (await asker.ask(schema=STRICT)).value == '{"n": 5}'
    refused, taken = (request.body for request in server.requests)
    assert refused == {**taken, part: refused[part]}
    assert f"the service refuses {part}: asked without it" in [progress.text for progress in asker.progress]


async def test_a_part_that_is_refused_again_is_not_asked_for_for_ever(tmp_path: Path):
    with ModelServer(Reply("response_format and stream_options are wrong", status=400)) as server:
        failed = await failure_of(EndpointAsker(server.address, tmp_path), schema=STRICT)
    assert failed.reason == "refused"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("reply", "reason", "said"),
    [
        (Reply("no such key", status=401), "auth", "no such key"),
        (Reply("not for you", status=403), "auth", "not for you"),
        (Reply("no such model", status=404), "not_found", "no such model"),
        (Reply("slow down", status=429), "rate_limited", "slow down"),
        (Reply("You exceeded your current quota", status=429), "quota", "current quota"),
        (Reply("oops", status=500), "network", "oops"),
        (Reply("overloaded", status=503), "network", "overloaded"),
        (Reply("no such field", status=400), "refused", "no such field"),
        (Reply("maximum context length is 9 tokens", status=400), "unsupported", "longer than the model"),
        (Reply("", status=502), "network", "api_error"),
        (Reply("it is cut", manner="cut"), "network", "broke off"),
        (Reply(""), "bad_output", "answered nothing"),
        (Reply("  \n"), "bad_output", "answered nothing"),
        (Reply("half", ending="length"), "bad_output", "cut off"),
        (Reply("half", ending="content_filter"), "refused", "filter"),
        (Reply("half", ending="abort"), "bad_output", "'abort'"),
        (Reply("", call=Call("run", {})), "bad_output", "tool"),
    ],
)
@pytest.mark.parametrize("schema", [None, STRICT])
async def test_a_failure_has_its_reason_and_the_services_words(
    tmp_path: Path, reply: Reply, reason: str, said: str, schema: Any
):
    with ModelServer(reply) as server:
        failed = await failure_of(EndpointAsker(server.address, tmp_path), schema=schema)
    assert failed.reason == reason
    assert said in str(failed)
    assert len(server.requests) == 1


async def test_what_a_failed_answer_has_cost_is_said(tmp_path: Path):
    with ModelServer(Reply("half", ending="length")) as server:
        failed = await failure_of(EndpointAsker(server.address, tmp_path))
    assert failed.usage == Usage(input_tokens=100, cached_tokens=40, output_tokens=20, reasoning_tokens=5)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After-Ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After": "nonsense"}, None),
    ],
)
async def test_a_limit_says_how_long_to_wait(tmp_path: Path, headers: dict[str, str], seconds: Any):
    with ModelServer(Reply("slow down", status=429, headers=headers)) as server:
        failed = await failure_of(EndpointAsker(server.address, tmp_path))
    assert failed.retry_after == seconds


async def test_a_service_that_is_not_there_is_named_with_the_place_to_correct(tmp_path: Path):
    with ModelServer() as server:
        address = server.address
    failed = await failure_of(EndpointAsker(address, tmp_path))
    assert failed.reason == "network"
    assert f"{address}/v1 cannot be reached: Connection refused" in str(failed)
    assert failed.hint == f"is a server there? `base_url` in [providers.local] says {address}/v1"


class Website(BaseHTTPRequestHandler):
    """Answers everything with a page."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<html>Welcome</html>")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name it overrides
        """Nothing."""


async def test_a_website_at_the_address_is_no_model(tmp_path: Path):
    with HTTPServer(("127.0.0.1", 0), Website) as website:
        answering = Thread(target=website.handle_request)
        answering.start()
        failed = await failure_of(EndpointAsker(f"http://127.0.0.1:{website.server_port}", tmp_path))
        answering.join()
    assert failed.reason == "unsupported"
    assert "not answer with a stream, but with text/html" in str(failed)


async def test_what_is_not_found_is_told_with_the_places_to_correct(tmp_path: Path):
    with ModelServer(Reply("no such model", status=404)) as server:
        failed = await failure_of(EndpointAsker(server.address, tmp_path))
    assert failed.hint == "correct the model, or `base_url` in [providers.local]"


@pytest.mark.parametrize("manner", ["hang", "pause"])
async def test_a_model_that_falls_silent_is_stalled(tmp_path: Path, manner: Any):
    with ModelServer(Reply("it never ends", manner=manner)) as server:
        failed = await failure_of(EndpointAsker(server.address, tmp_path), stall_timeout=0.2)
    assert (failed.reason, str(failed)) == ("stalled", "silent for 0.2 s")


async def test_a_cancelled_step_closes_its_connection(tmp_path: Path):
    with ModelServer(Reply("it never ends", manner="pause")) as server:
        asker = EndpointAsker(server.address, tmp_path)
        said = anyio.Event()
        asker.progress = Heard(said)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(asker.ask)
            await said.wait()
            tasks.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(server.abandoned.wait, 30)


class Heard(list):
    """Progress that somebody waits for."""

    def __init__(self, event: anyio.Event) -> None:
        super().__init__()
        self._event = event

    def append(self, progress: Any) -> None:
        super().append(progress)
        self._event.set()


async def test_an_answer_beyond_all_bounds_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hearing, "MAXIMUM_OUTPUT", 100_000)
    with ModelServer(Reply("x" * 300_000)) as server:
        failed = await failure_of(EndpointAsker(server.address, tmp_path))
    assert (failed.reason, "longer than" in str(failed)) == ("bad_output", True)


async def test_events_without_end_that_say_nothing_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "MOST_RECEIVED", 200)
    with ModelServer(Reply("word " * 500)) as server:
        failure = await failure_of(EndpointAsker(server.address, tmp_path))
    assert failure.reason == "bad_output"
    assert "of events" in failure.what


async def test_an_event_beyond_all_bounds_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service, "MAXIMUM_OUTPUT", 100_000)
    with ModelServer(Reply("x" * 300_000)) as server:
        failed = await failure_of(EndpointAsker(server.address, tmp_path))
    assert (failed.reason, "exceeded the 100000 byte limit" in str(failed)) == ("bad_output", True)


async def test_what_was_received_is_kept_but_for_the_key(tmp_path: Path):
    raw = tmp_path / "steps" / "1.raw"
    with ModelServer(Reply(f"your key is {KEY}" * 2)) as server:
        await EndpointAsker(server.address, tmp_path).ask(raw=raw)
    chunks = [json.loads(line) for line in raw.read_text().splitlines()]
    assert chunks[-1]["usage"]["prompt_tokens"] == 100
    assert KEY not in raw.read_text()


async def test_a_key_that_the_service_repeats_is_in_no_message(tmp_path: Path):
    with ModelServer(Reply(f"incorrect key {KEY}", status=401)) as server:
        asker = EndpointAsker(server.address, tmp_path)
        failed = await failure_of(asker)
    assert str(failed) == "incorrect key [the API key] (authentication_error)"
    assert failed.hint == "correct MY_KEY"
    assert KEY not in repr(vars(asker.provider))


@pytest.mark.parametrize(
    ("proxy", "said", "hint"),
    [
        ("socks5://127.0.0.1:9", "a SOCKS proxy needs the package socksio", "--with socksio"),
        ("ftp://127.0.0.1:9", "the proxy cannot be used", None),
    ],
)
async def test_a_proxy_that_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str, said: str, hint: str | None
):
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    failed = await failure_of(EndpointAsker("https://example.invalid", tmp_path))
    assert (failed.reason, said in str(failed)) == ("network", True)
    assert (hint or "") in (failed.hint or "")


async def test_a_proxy_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with ModelServer(Reply("through the proxy")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        answer = await EndpointAsker("http://example.invalid", tmp_path).ask()
    assert answer.value == "through the proxy"


async def test_it_may_not_touch_anything_and_has_no_agents(tmp_path: Path):
    with ModelServer() as server:
        asker = EndpointAsker(server.address, tmp_path)
        for question in ({"access": "write"}, {"access": "full"}, {"agent_type": "reviewer"}):
            assert (await failure_of(asker, **question)).reason == "unsupported"
    assert server.requests == []
    assert asker.provider.note == "the model saw only the prompt, no files"


async def test_without_its_extra_it_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    monkeypatch.delitem(sys.modules, "engine.providers.openai.service", raising=False)
    failed = await failure_of(EndpointAsker("http://127.0.0.1:1", tmp_path))
    assert (failed.reason, failed.hint) == ("not_found", "uv tool install 'mco-workflows[openai]'")
