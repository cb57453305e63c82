"""What every provider promises, kept by `openai`."""

from __future__ import annotations

import contextlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import anyio

from engine.providers.base import Progress
from engine.testing.provider_contract import ProviderContract
from engine.testing.provider_rig import Place, ProviderRig, Scene
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.wire_formats import Reply
from tests.providers.openai.endpoint_asker import KEY, EndpointAsker


class OpenAIRig(ProviderRig):
    """Everything by a model server on loopback."""

    failures: ClassVar[Any] = {
        "a wrong key": "auth",
        "a limit": "rate_limited",
        "no such model": "not_found",
        "an error of the server": "network",
        "a cut stream": "network",
        "nobody there": "network",
        "an answer cut off": "bad_output",
    }
    replies: ClassVar[dict[str, Reply]] = {
        "a wrong key": Reply("no such key", status=401),
        "a limit": Reply("slow down", status=429, retry_after=3),
        "no such model": Reply("no such model", status=404),
        "an error of the server": Reply("oops", status=500),
        "a cut stream": Reply("it is cut", manner="cut"),
        "an answer cut off": Reply("half", ending="length"),
    }

    def at(self, place: Place, address: str, stall_timeout: float = 30.0) -> Scene:
        provider = EndpointAsker(address, place.workspace, KEY).provider
        return Scene(provider, place.question(stall_timeout=stall_timeout))

    def said(self, place: Place, reply: Reply, stall_timeout: float = 30.0) -> Scene:
        return self.at(place, place.stack.enter_context(ModelServer(reply)).address, stall_timeout)

    def answers(self, place: Place, text: str) -> Scene:
        return self.said(place, Reply(text))

    def fails(self, place: Place, failure: str) -> Scene:
        if failure == "nobody there":
            return self.at(place, "http://127.0.0.1:9")
        return self.said(place, self.replies[failure])

    def hangs(self, place: Place) -> Scene:
        return self.said(place, Reply("half of this", manner="pause"), stall_timeout=0.1)

    def works(self, place: Place) -> Scene:
        heard = anyio.Event()

        def report(progress: Progress) -> None:
            heard.set()

        return self.hangs(place)._replace(at_work=heard.wait, report=report)

    def floods(self, place: Place, size: int) -> Scene:
        choice = {"index": 0, "delta": {"content": "x" * 65_536}, "finish_reason": None}
        event = f"data: {json.dumps({'choices': [choice]})}\n\n".encode()

        class Flood(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                with contextlib.suppress(OSError):  # who asks has heard enough
                    for _ in range(size // len(event)):
                        self.wfile.write(event)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name it overrides
                """Nothing."""

        server = place.stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Flood))
        server.daemon_threads = True
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        place.stack.callback(serving.join)
        place.stack.callback(server.shutdown)
        return self.at(place, f"http://127.0.0.1:{server.server_port}")

    def unready(self, place: Place) -> Scene:
        provider = EndpointAsker("http://127.0.0.1:9", place.workspace, key=None).provider
        return Scene(provider, place.question())


class TestOpenAI(ProviderContract):
    rig = OpenAIRig()
