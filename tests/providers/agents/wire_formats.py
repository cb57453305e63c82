"""One scripted reply in the words of each model interface: the events of its stream, and its whole document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

Event = tuple[str | None, Any]
"""A server-sent event: its name, if it has one, and its data."""


class Call(NamedTuple):
    """A tool that the model wants to use."""

    name: str
    arguments: Mapping[str, Any]


class Tokens(NamedTuple):
    """What a reply cost, as mco counts: `input` includes `cached`, `output` includes `reasoning`."""

    input: int = 100
    cached: int = 40
    output: int = 20
    reasoning: int = 5


class Reply(NamedTuple):
    """What the model says to one request. With a `status` other than 200 it is an error that says `text`."""

    text: str = "fine"
    call: Call | None = None
    status: int = 200
    retry_after: int | None = None
    manner: Literal["whole", "cut", "hang", "pause"] = "whole"
    """`cut` ends the connection in the middle, `hang` says nothing at all until the server closes, `pause` says half
    and waits until who asks has gone."""
    tokens: Tokens = Tokens()
    ending: str = ""
    """Why the model stopped, where that is not what it says itself (Chat Completions)."""
    headers: Mapping[str, str] = MappingProxyType({})
    """Further headers of an error."""

    def pieces(self) -> list[str]:
        """The text in two parts, as a stream brings it; of an empty text there are none."""
        half = (len(self.text) + 1) // 2
        return [piece for piece in (self.text[:half], self.text[half:]) if piece]


class WireFormat(Protocol):
    """How one interface says a reply."""

    def events(self, reply: Reply, model: str) -> Iterator[Event]:
        """The stream."""
        ...

    def document(self, reply: Reply, model: str) -> Any:
        """The same without a stream."""
        ...


class AnthropicMessages:
    """`POST /v1/messages`."""

    def events(self, reply: Reply, model: str) -> Iterator[Event]:
        document = self.document(reply, model)
        start = {**document, "content": [], "stop_reason": None}
        yield "message_start", {"type": "message_start", "message": start}
        for index, block in enumerate(document["content"]):
            yield from self._block(index, block, reply)
        end = {"stop_reason": document["stop_reason"], "stop_sequence": None}
        usage = {"output_tokens": reply.tokens.output}
        yield "message_delta", {"type": "message_delta", "delta": end, "usage": usage}
        yield "message_stop", {"type": "message_stop"}

    def _block(self, index: int, block: Mapping[str, Any], reply: Reply) -> Iterator[Event]:
        if block["type"] == "text":
            deltas = [{"type": "text_delta", "text": piece} for piece in reply.pieces()]
            empty = {**block, "text": ""}
        else:
            deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
            empty = {**block, "input": {}}
        yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": empty}
        for delta in deltas:
            yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
        yield "content_block_stop", {"type": "content_block_stop", "index": index}

    def document(self, reply: Reply, model: str) -> Any:
        content: list[Any] = [{"type": "text", "text": reply.text}] if reply.text else []
        if reply.call:
            name, arguments = reply.call
            content.append({"type": "tool_use", "id": "toolu_1", "name": name, "input": arguments})
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": content,
            "stop_reason": "tool_use" if reply.call else "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": reply.tokens.input - reply.tokens.cached,
                "cache_read_input_tokens": reply.tokens.cached,
                "cache_creation_input_tokens": 0,
                "output_tokens": reply.tokens.output,
            },
        }


class OpenAIResponses:
    """`POST …/responses`."""

    def events(self, reply: Reply, model: str) -> Iterator[Event]:
        document = self.document(reply, model)
        yield "response.created", {"response": {**document, "status": "in_progress", "output": []}}
        for item in document["output"]:
            yield "response.output_item.added", {"item": {**item, "content": []}}
            if item["type"] == "message":
                for piece in reply.pieces():
                    yield "response.output_text.delta", {"item_id": item["id"], "delta": piece}
            yield "response.output_item.done", {"item": item}
        yield "response.completed", {"response": document}

    def document(self, reply: Reply, model: str) -> Any:
        said = {"type": "output_text", "text": reply.text, "annotations": []}
        output: list[Any] = [{"type": "message", "id": "msg_1", "role": "assistant", "content": [said]}]
        if reply.call:
            arguments = json.dumps(reply.call.arguments)
            called = {"type": "function_call", "id": "fc_1", "call_id": "call_1"}
            output = [{**called, "name": reply.call.name, "arguments": arguments}]
        tokens = reply.tokens
        usage = {
            "input_tokens": tokens.input,
            "input_tokens_details": {"cached_tokens": tokens.cached},
            "output_tokens": tokens.output,
            "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
            "total_tokens": tokens.input + tokens.output,
        }
        return {"id": "resp_1", "status": "completed", "model": model, "output": output, "usage": usage}


class OpenAIChat:
    """`POST …/chat/completions`."""

    def events(self, reply: Reply, model: str) -> Iterator[Event]:
        (choice,) = self.document(reply, model)["choices"]
        calls = [{"index": 0, **call} for call in choice["message"].get("tool_calls", [])]
        parts: list[Any] = [{"role": "assistant"}]
        parts += [{"content": piece} for piece in reply.pieces()]
        parts += [{"tool_calls": calls}] if calls else []
        for delta in parts:
            yield None, self._chunk(model, [{"index": 0, "delta": delta, "finish_reason": None}])
        end = {"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}
        yield None, self._chunk(model, [end])
        yield None, {**self._chunk(model, []), "usage": self._usage(reply.tokens)}
        yield None, "[DONE]"

    def document(self, reply: Reply, model: str) -> Any:
        message: dict[str, Any] = {"role": "assistant", "content": reply.text or None}
        if reply.call:
            function = {"name": reply.call.name, "arguments": json.dumps(reply.call.arguments)}
            message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
        ending = reply.ending or ("tool_calls" if reply.call else "stop")
        choice = {"index": 0, "message": message, "finish_reason": ending}
        whole = {**self._chunk(model, [choice]), "object": "chat.completion"}
        return {**whole, "usage": self._usage(reply.tokens)}

    def _chunk(self, model: str, choices: list[Any]) -> dict[str, Any]:
        about = {"id": "chatcmpl_1", "object": "chat.completion.chunk", "created": 1_700_000_000}
        return {**about, "model": model, "choices": choices}

    def _usage(self, tokens: Tokens) -> Any:
        return {
            "prompt_tokens": tokens.input,
            "prompt_tokens_details": {"cached_tokens": tokens.cached},
            "completion_tokens": tokens.output,
            "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
            "total_tokens": tokens.input + tokens.output,
        }


class Gemini:
    """`POST /v1beta/models/NAME:streamGenerateContent` and `:generateContent`."""

    def events(self, reply: Reply, model: str) -> Iterator[Event]:
        whole = self.document(reply, model)
        for piece in reply.pieces():
            content = {"role": "model", "parts": [{"text": piece}]}
            yield None, {"candidates": [{"index": 0, "content": content}], "modelVersion": model}
        (candidate,) = whole["candidates"]
        parts = [part for part in candidate["content"]["parts"] if "text" not in part]
        content = {"role": "model", "parts": parts or [{"text": ""}]}
        yield None, {**whole, "candidates": [{**candidate, "content": content}]}

    def document(self, reply: Reply, model: str) -> Any:
        parts: list[Any] = [{"text": reply.text}] if reply.text else []
        if reply.call:
            parts.append({"functionCall": {"name": reply.call.name, "args": reply.call.arguments}})
        tokens = reply.tokens
        usage = {
            "promptTokenCount": tokens.input,
            "cachedContentTokenCount": tokens.cached,
            "candidatesTokenCount": tokens.output - tokens.reasoning,
            "thoughtsTokenCount": tokens.reasoning,
            "totalTokenCount": tokens.input + tokens.output,
        }
        candidate = {"index": 0, "content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model}
