"""A model server on loopback that says what a test wrote down, in the words of whoever asks; it keeps the questions."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.providers.agents.wire_formats import (
    AnthropicMessages,
    Gemini,
    OpenAIChat,
    OpenAIResponses,
    Reply,
    WireFormat,
)

_FORMATS: tuple[tuple[str, WireFormat], ...] = (
    ("/messages", AnthropicMessages()),
    ("/responses", OpenAIResponses()),
    ("/chat/completions", OpenAIChat()),
    (":streamGenerateContent", Gemini()),
    (":generateContent", Gemini()),
)


class Request(NamedTuple):
    """One question as it came in; the names of its headers are in small letters."""

    path: str
    headers: dict[str, str]
    body: Any

    def texts(self) -> list[str]:
        """Every text in the body, wherever it stands."""
        return list(_texts(self.body))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, (dict, list)):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _texts(child)


class ModelServer:
    """Gives the replies in their order; the last of them again to whatever comes after it."""

    def __init__(self, *replies: Reply) -> None:
        self.requests: list[Request] = []
        self.closing = Event()
        self.abandoned = Event()
        """Somebody went in the middle of an answer that was said in the manner `pause`."""
        self._replies = list(replies) or [Reply()]
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def address(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def reply_to(self, request: Request) -> Reply:
        """Keep a question, and choose what it gets."""
        with self._lock:
            self.requests.append(request)
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    """The class of handlers that work for this server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # for chunks: without them a cut stream would look like a finished one

        def do_HEAD(self) -> None:
            self._send_head(200, "text/plain", length=0)

        def do_POST(self) -> None:
            body = self._body()
            path = urlsplit(self.path).path
            headers = {name.lower(): value for name, value in self.headers.items()}
            wire = next((found for ending, found in _FORMATS if path.endswith(ending)), None)
            # Those who ask may be killed at any moment: that is what half of the tests are about.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                if wire is None:
                    self._send_json(404, {"error": {"message": f"there is no {path} here"}})
                else:
                    self._answer(wire, server.reply_to(Request(path, headers, body)), body)

        def _body(self) -> Any:
            return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")

        def _answer(self, wire: WireFormat, reply: Reply, body: Any) -> None:
            if reply.manner == "hang":
                server.closing.wait()
                return
            if reply.status != 200:
                self._send_json(reply.status, _error(reply), reply)
                return
            model = str(body.get("model", "model"))
            if body.get("stream") or ":stream" in self.path:
                self._send_stream(wire, reply, model)
            else:
                self._send_json(200, wire.document(reply, model), cut=reply.manner == "cut")

        def _send_stream(self, wire: WireFormat, reply: Reply, model: str) -> None:
            self._send_head(200, "text/event-stream")
            events = list(wire.events(reply, model))
            if reply.manner in ("cut", "pause"):
                events = events[: len(events) // 2]
            for name, data in events:
                said = {"type": name, **data} if name else data
                text = said if isinstance(said, str) else json.dumps(said)
                self._send_chunk((f"event: {name}\n" if name else "") + f"data: {text}\n\n")
            if reply.manner == "whole":
                self._send_chunk("")
            elif reply.manner == "pause":
                with contextlib.suppress(ConnectionResetError):
                    self.rfile.read(1)  # nothing comes but the end
                server.abandoned.set()

        def _send_chunk(self, text: str) -> None:
            data = text.encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

        def _send_json(
            self, status: int, document: Any, reply: Reply | None = None, *, cut: bool = False
        ) -> None:
            data = json.dumps(document).encode()
            self._send_head(status, "application/json", length=len(data), reply=reply)
            self.wfile.write(data[: len(data) // 2] if cut else data)

        def _send_head(
            self, status: int, kind: str, *, length: int | None = None, reply: Reply | None = None
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Connection", "close")
            if length is None:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", str(length))
            if reply is not None and reply.retry_after is not None:
                self.send_header("Retry-After", str(reply.retry_after))
            for name, value in (reply.headers if reply else {}).items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name it overrides
            """Nothing: the requests are kept."""

    return Handler


_KINDS = {
    400: ("invalid_request_error", "INVALID_ARGUMENT"),
    401: ("authentication_error", "UNAUTHENTICATED"),
    403: ("permission_error", "PERMISSION_DENIED"),
    404: ("not_found_error", "NOT_FOUND"),
    429: ("rate_limit_error", "RESOURCE_EXHAUSTED"),
}


def _error(reply: Reply) -> Any:
    """An error that Anthropic's, OpenAI's and Google's clients all understand."""
    kind, status = _KINDS.get(reply.status, ("api_error", "INTERNAL"))
    error = {"type": kind, "message": reply.text, "code": reply.status, "status": status}
    return {"type": "error", "error": error}
