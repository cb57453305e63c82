"""The smallest value that fits a JSON Schema: what the fake provider answers when nobody scripted it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.json_value import is_list, is_object
from engine.schema import JSONSchema, Schema

_MANY = 10_000
"""More items or characters than this make no small value."""


def smallest(schema: JSONSchema) -> Any:
    """A small value that is valid against an acyclic schema. ValueError when the simple rules find none."""
    value = _value(schema, schema)
    problems = Schema(schema).problems(value)
    if problems:
        raise ValueError(f"no sample fits the schema: {problems[0]}")
    return value


def _value(schema: Any, root: Any) -> Any:
    if not is_object(schema):
        return None
    if "$ref" in schema:
        return _value(_resolve(root, schema["$ref"]), root)
    for name in ("const", "default", "enum", "examples"):
        if name in schema:
            return _first(schema[name]) if name in ("enum", "examples") else schema[name]
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return _value({**_without(schema, name), **_object(_first(schema[name]))}, root)
    if "allOf" in schema:
        return _value(_merged(schema, root), root)
    return _typed(schema, root)


def _typed(schema: Mapping[str, Any], root: Any) -> Any:
    kind: Any = schema.get("type", "object" if "properties" in schema else "null")
    match kind[0] if is_list(kind) else kind:
        case "object":
            properties = schema.get("properties", {})
            return {name: _value(properties.get(name, True), root) for name in schema.get("required", [])}
        case "array":
            return [_value(schema.get("items", True), root) for _ in range(_few(schema, "minItems"))]
        case "string":
            return "x" * _few(schema, "minLength")
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return False
        case _:
            return None


def _few(schema: Mapping[str, Any], name: str) -> int:
    number = schema.get(name, 0)
    if number > _MANY:
        raise ValueError(f"no sample fits the schema: its {name} is more than {_MANY:,}")
    return int(number)


def _first(values: Any) -> Any:
    if not values:
        raise ValueError("no sample fits the schema: it has an empty list of choices")
    return values[0]


def _object(schema: Any) -> Mapping[str, Any]:
    return schema if is_object(schema) else {}


def _number(schema: Mapping[str, Any]) -> Any:
    if "minimum" in schema:
        return schema["minimum"]
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 1
    return min(0, schema.get("maximum", 0), schema.get("exclusiveMaximum", 1) - 1)


def _without(schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != name}


def _merged(schema: Mapping[str, Any], root: Any) -> dict[str, Any]:
    merged: dict[str, Any] = _without(schema, "allOf")
    for entry in schema["allOf"]:
        part = _resolve(root, entry["$ref"]) if "$ref" in entry else entry
        merged["properties"] = {**merged.get("properties", {}), **part.get("properties", {})}
        merged["required"] = [*merged.get("required", []), *part.get("required", [])]
        merged = {**part, **merged}
    return merged


def _resolve(root: Any, reference: str) -> Any:
    node = root
    for name in reference.removeprefix("#/").split("/"):
        node = node[name.replace("~1", "/").replace("~0", "~")]
    return node
