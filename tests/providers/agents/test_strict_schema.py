"""Which schemas go to an OpenAI service as they are."""

from __future__ import annotations

from typing import Any

import pytest

from engine.providers.agents.strict_schema import is_strict


def shape(**properties: Any) -> dict[str, Any]:
    closed = {"type": "object", "additionalProperties": False}
    return {**closed, "properties": properties, "required": list(properties)}


TAKEN = [
    shape(),
    shape(n={"type": "integer", "minimum": 0}, s={"type": ["string", "null"], "enum": ["a", None]}),
    shape(items={"type": "array", "items": shape(x={"type": "boolean", "description": "why"})}),
    {**shape(a={"$ref": "#/$defs/a"}), "$defs": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
]
REFUSED = [
    None,
    True,
    {"type": "array", "items": {"type": "string"}},
    {"type": "object"},
    {**shape(n={"type": "integer"}), "required": []},
    {**shape(n={"type": "integer"}), "additionalProperties": True},
    {**shape(), "patternProperties": {}},
    shape(s={"type": "string", "pattern": "x"}),
    shape(s={"type": "string", "enum": ["a"], "default": "a"}),
    shape(s={"allOf": [{"type": "string"}]}),
    shape(s={"anyOf": [{"type": "object"}]}),
    shape(s={"anyOf": 3}),
    shape(s={}),
    shape(s=True),
    shape(s={"type": "strange"}),
    shape(s={"type": ["string", ["odd"]]}),
    shape(a={"type": "array"}),
    {**shape(a={"$ref": "#/$defs/a"}), "$defs": {"a": {"type": "object"}}},
]


@pytest.mark.parametrize("schema", TAKEN)
def test_a_schema_that_names_and_requires_everything_is_taken(schema: Any):
    assert is_strict(schema)


@pytest.mark.parametrize("schema", REFUSED)
def test_any_other_is_not(schema: Any):
    assert not is_strict(schema)
