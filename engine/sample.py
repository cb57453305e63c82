"""The smallest value that fits a JSON Schema: what the fake provider answers when nobody scripted it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.json_value import is_list, is_object
from engine.schema import JSONSchema, Schema


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
            return schema[name][0] if name in ("enum", "examples") else schema[name]
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return _value({**_without(schema, name), **schema[name][0]}, root)
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
            return [_value(schema.get("items", True), root) for _ in range(schema.get("minItems", 0))]
        case "string":
            return "x" * schema.get("minLength", 0)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return False
        case _:
            return None


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
