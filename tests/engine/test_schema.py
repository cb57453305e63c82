"""Schemas from scripts: what could hang us is refused, the rest is checked, JSON is found in prose."""

from __future__ import annotations

import time
from typing import Any

import pytest

from engine.errors import UsageError
from engine.sample import smallest
from engine.schema import Schema, SchemaRefused, check_arguments, coerce_arguments, find_json


def ladder(rungs: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {"d0": {"type": "string"}}
    for rung in range(rungs):
        below = {"$ref": f"#/$defs/d{rung}"}
        definitions[f"d{rung + 1}"] = {"anyOf": [{"allOf": [below, below]}, {"allOf": [below, below]}]}
    return {"$defs": definitions, "$ref": f"#/$defs/d{rungs}"}


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "strin"}, "not a valid JSON Schema"),
        ({"$ref": "https://example.org/s"}, "not local"),
        ({"$ref": "file:///etc/passwd"}, "not local"),
        ({"$ref": "#"}, "refers to itself"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}, "itself"),
        ({"$ref": "#/$defs/none"}, "points at nothing"),
        ({"$dynamicRef": "#x"}, "not taken"),
        ({"pattern": "(?=a)"}, "not a valid JSON Schema"),
        ({"minimum": float("nan")}, "not JSON"),
        (ladder(40), "too large"),
        (nested(100), "nested deeper"),
        ({"description": "x" * 300_000}, "bytes"),
        (["type"], "is an object"),
    ],
)
def test_schemas_that_are_none_or_could_hang_us_are_refused(schema: Any, said: str):
    with pytest.raises(SchemaRefused, match=said):
        Schema(schema)


def test_problems_name_their_place():
    schema = Schema({"properties": {"items": {"items": {"properties": {"line": {"type": "integer"}}}}}})
    assert schema.problems({"items": [{"line": 1}, {"line": "x"}]}) == [
        '$.items[1].line: "x" is not of type "integer"'
    ]
    assert schema.problems({"items": []}) == []


def test_a_local_reference_is_followed():
    schema = Schema({"$defs": {"word": {"type": "string"}}, "items": {"$ref": "#/$defs/word"}})
    assert schema.problems(["a", 1]) == ['$[1]: 1 is not of type "string"']


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("  [1, 2]\n", [1, 2]),
        ('Sure!\n```json\n{"a": 1}\n```\nBye', {"a": 1}),
        ('First\n```json\n{"a": 1}\n```\nthen\n```\n{"a": 2}\n```', {"a": 2}),
        ('The answer is {"a": {"b": []}}, I think.', {"a": {"b": []}}),
        ("Found: [1, 2].", [1, 2]),
    ],
)
def test_json_is_found_in_an_answer(text: str, value: Any):
    assert find_json(text) == value


@pytest.mark.parametrize("text", ["", "no json here", "{broken", '{"a": NaN}', "[" * 100_000])
def test_an_answer_without_json_says_so(text: str):
    with pytest.raises(ValueError, match="no JSON value"):
        find_json(text)


def test_a_misspelt_argument_is_refused_unless_the_schema_takes_any():
    schema = {"properties": {"n": {"type": "integer"}}}
    with pytest.raises(UsageError, match="'m' was unexpected"):
        check_arguments(schema, {"m": 1})
    assert check_arguments({**schema, "additionalProperties": True}, {"m": 1}) == {"m": 1}
    assert check_arguments(None, {"anything": [1]}) == {"anything": [1]}


@pytest.mark.parametrize("value", ["\ud800", float("inf"), ["deep", {"x": "\udfff"}]])
def test_arguments_that_cannot_be_written_down_are_refused(value: Any):
    with pytest.raises(UsageError, match="not JSON that can be written down"):
        check_arguments(None, {"x": value})


def test_typed_arguments_become_what_the_schema_wants():
    schema = {"properties": {"name": {"type": "string"}, "n": {"type": "integer"}, "on": {"type": "boolean"}}}
    raw = {"name": "42", "n": "42", "on": "true", "free": "[1]", "text": "plain words"}
    assert coerce_arguments(schema, raw) == {
        "name": "42", "n": 42, "on": True, "free": [1], "text": "plain words",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "array", "minItems": 2}}},
            {"a": [None, None]},
        ),
        ({"enum": ["x", "y"]}, "x"),
        ({"const": 5}, 5),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "string", "minLength": 2}, "xx"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, False),
        (
            {"allOf": [{"required": ["a"]}, {"properties": {"a": {"type": "integer"}}}], "type": "object"},
            {"a": 0},
        ),
        ({"$defs": {"n": {"type": "number", "exclusiveMinimum": 0}}, "$ref": "#/$defs/n"}, 1),
        (True, None),
    ],
)
def test_the_smallest_sample_fits_its_schema(schema: Any, value: Any):
    assert smallest(schema) == value


def test_a_schema_without_a_simple_sample_says_so():
    with pytest.raises(ValueError, match="no sample fits"):
        smallest({"type": "string", "pattern": "^[a-z]{5}$"})


def test_json_is_found_in_the_fenced_block_that_says_so():
    text = "First:\n```python\n{1: 2}\n```\nthen {this}\n```json\n[1]\n```\n{done}"
    assert find_json(text) == [1]


def test_a_long_answer_full_of_fences_is_looked_through_once():
    started = time.perf_counter()
    with pytest.raises(ValueError, match="no JSON"):
        find_json("x```\n" * 100_000)
    assert time.perf_counter() - started < 5
