"""Speaks to a service over HTTP. Loaded when the first question is asked: the library is an optional extra."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any, TypeVar

import httpx2

from engine.errors import Reason, StepFailed
from engine.providers.command_output import MAXIMUM_OUTPUT
from engine.providers.openai.endpoint import Endpoint
from engine.providers.openai.extra import INSTALL
from engine.providers.openai.failures import refusal

CONNECT_SECONDS = 30.0
MOST_RECEIVED = 8 * MAXIMUM_OUTPUT
"""Characters of events: an answer comes in small pieces, each with much around it."""
_LONGEST_COMPLAINT = 64 * 1024
_LAST = "[DONE]"
_Part = TypeVar("_Part")


class Service:
    """One endpoint. What is slow to make, the certificates to trust, is made once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._certificates = httpx2.create_ssl_context()
        self._headers = {
            **endpoint.headers(),
            "User-Agent": "mco",
            "Accept-Encoding": "identity",  # a small answer should not become a large one here
        }

    async def ask(self, body: Mapping[str, Any], take: Callable[[str], None], stall_timeout: float) -> None:
        """Send a request and give the data of every event to `take`, until the last.

        StepFailed with the service's own reason. When it is cancelled or fails, the connection is closed, so that the
        service need not go on.
        """
        address = f"{self._endpoint.address}/chat/completions"
        received = 0

        def heard(event: httpx2.ServerSentEvent) -> bool:
            nonlocal received
            if event.data.strip() == _LAST:
                return True
            received += len(event.data)
            if received > MOST_RECEIVED:
                raise StepFailed("bad_output", f"it sent more than {MOST_RECEIVED // 2**20} MiB of events")
            take(self._endpoint.key.hide(event.data))
            return False

        try:
            async with (
                self._client(stall_timeout) as client,
                client.sse(address, method="POST", json=body, max_event_size=MAXIMUM_OUTPUT) as source,
            ):
                await self._check(source.response)
                await _read(source, source.response, heard)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._broken(error, stall_timeout) from None

    def _client(self, stall_timeout: float) -> httpx2.AsyncClient:
        wait = httpx2.Timeout(stall_timeout, connect=CONNECT_SECONDS, pool=None)
        try:
            return httpx2.AsyncClient(headers=self._headers, timeout=wait, verify=self._certificates)
        except ImportError:
            what = "a SOCKS proxy needs the package socksio"
            raise StepFailed("network", what, hint=f"{INSTALL} --with socksio") from None
        except ValueError as error:
            raise StepFailed("network", f"the proxy cannot be used: {error}") from None

    async def _check(self, response: httpx2.Response) -> None:
        """StepFailed unless an answer follows."""
        if response.status_code == 200:
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "text/event-stream":
                what = f"it does not answer with a stream, but with {kind[:80] or 'something without a name'}"
                raise StepFailed("unsupported", what, hint=self._way_out())
            return
        said = bytearray()

        def heard(part: bytes) -> bool:
            said.extend(part)
            return len(said) > _LONGEST_COMPLAINT

        await _read(response.aiter_bytes(), response, heard)
        text = said[:_LONGEST_COMPLAINT].decode(errors="replace")
        failure = refusal(response.status_code, self._endpoint.key.hide(text), response.headers, time.time())
        failure.hint = failure.hint or self._hint(failure.reason)
        raise failure

    def _broken(self, error: Exception, stall_timeout: float) -> StepFailed:
        said = self._endpoint.key.hide(_first_cause(error))[:300]
        match error:
            case httpx2.ReadTimeout() | httpx2.WriteTimeout():
                return StepFailed("stalled", f"silent for {stall_timeout:g} s")
            case httpx2.ConnectTimeout():
                what = f"{self._endpoint.address} took no connection within {CONNECT_SECONDS:g} s"
                return StepFailed("network", what, hint=self._way_out())
            case httpx2.ConnectError() | httpx2.InvalidURL():
                what = f"{self._endpoint.address} cannot be reached{f': {said}' if said else ''}"
                return StepFailed("network", what, hint=self._way_out())
            case httpx2.SSEError():
                return StepFailed("bad_output", said)
            case _:
                return StepFailed("network", f"the connection broke off{f': {said}' if said else ''}")

    def _hint(self, reason: Reason) -> str | None:
        if reason == "auth":
            variable = self._endpoint.key_variable
            return f"correct {variable}" if variable else "name the variable with its key: `api_key_variable`"
        return f"correct the model, or {self._endpoint.origin}" if reason == "not_found" else None

    def _way_out(self) -> str:
        return f"is a server there? {self._endpoint.origin} says {self._endpoint.address}"


async def _read(
    parts: AsyncIterable[_Part], response: httpx2.Response, heard: Callable[[_Part], bool]
) -> None:
    """Read until `heard` has enough, which it says or raises.

    The library's generators are always run to their end, which comes at once when the response is closed: one that is
    dropped halfway leaves a task behind that ends it some time later.
    """
    enough, raised = False, None
    try:
        async for part in parts:
            if enough:
                continue
            try:
                enough = heard(part)
            except Exception as error:  # noqa: BLE001  raised again below
                enough, raised = True, error
            if enough:
                await response.aclose()
    except httpx2.HTTPError:
        if not enough:
            raise
    if raised is not None:
        raise raised


def _first_cause(error: BaseException) -> str:
    """What the system said, where it said something; libraries wrap that in words of their own."""
    said, cause = str(error), error
    while (below := cause.__cause__ or cause.__context__) is not None:
        cause = below
        if isinstance(cause, ConnectionError) and cause.errno:
            said = os.strerror(cause.errno)
        elif isinstance(cause, OSError) and cause.strerror:
            said = cause.strerror
    return said
