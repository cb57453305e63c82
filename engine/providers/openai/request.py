"""What a service is asked: one user's message, streamed, with what the step and the user's table want of the answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from engine.errors import StepFailed
from engine.json_value import is_object
from engine.providers.agents.strict_schema import is_strict
from engine.providers.base import Question
from engine.providers.openai.endpoint import Endpoint
from engine.providers.openai.options import OpenAIOptions
from engine.schema import instruction

# What many services do not know, and an answer can do without: each with the words of those that refuse it.
_DISPENSABLE = {
    "stream_options": r"stream_options|include_usage",
    "response_format": r"response_format|json_?schema|json_?object|schema|grammar|structured|guided",
}


class Request(NamedTuple):
    """The body of one request."""

    body: Mapping[str, Any]

    def declined(self, failure: StepFailed) -> str | None:
        """The part that the service refuses in so many words, if the request can do without it."""
        if failure.reason != "refused":
            return None
        for name, words in _DISPENSABLE.items():
            if name in self.body and re.search(words, failure.what, re.IGNORECASE):
                return name
        return None

    def without(self, name: str) -> Request:
        """The same without that part."""
        return Request({key: value for key, value in self.body.items() if key != name})


def request_for(question: Question, model: str, options: OpenAIOptions, endpoint: Endpoint) -> Request:
    """The request for one question. The prompt always asks for a schema: not every service holds a model to one."""
    prompt = question.prompt if question.schema is None else question.prompt + instruction(question.schema)
    body = {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return Request(
        {**body, **dict(_wishes(question, options, endpoint)), **_format(question.schema, options)}
    )


def _wishes(question: Question, options: OpenAIOptions, endpoint: Endpoint) -> Iterator[tuple[str, Any]]:
    if options.max_tokens is not None:
        # OpenAI's newer models refuse the name that everybody else knows.
        yield "max_completion_tokens" if endpoint.is_openai else "max_tokens", options.max_tokens
    if options.temperature is not None:
        yield "temperature", options.temperature
    effort = question.effort or options.effort
    if effort:
        yield "reasoning_effort", effort


def _format(schema: Mapping[str, Any] | bool | None, options: OpenAIOptions) -> dict[str, Any]:
    """The service's own schema option; both of its kinds are for answers that are objects."""
    if not is_object(schema) or schema.get("type") != "object" or options.structured == "prompt":
        return {}
    if options.structured == "json_object":
        return {"response_format": {"type": "json_object"}}
    wanted = {"name": "answer", "strict": is_strict(schema), "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": wanted}}
