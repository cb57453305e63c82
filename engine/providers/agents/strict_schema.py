"""Which JSON Schemas an OpenAI service takes as they are; any other makes it refuse the whole request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.json_value import is_list, is_object

_ABOUT = frozenset({"$schema", "$id", "title", "description"})
_OBJECT = frozenset({"type", "properties", "required", "additionalProperties", "$defs"})
_ARRAY = frozenset({"type", "items", "minItems", "maxItems"})
_NUMBER = frozenset({"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_SCALARS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"type", "enum", "const"}),
    "integer": _NUMBER | {"enum", "const"},
    "number": _NUMBER | {"enum", "const"},
    "boolean": frozenset({"type", "enum", "const"}),
    "null": frozenset({"type"}),
}


def is_strict(schema: Any) -> bool:
    """Whether the root is an object, every object names and requires all it has, and no other words are used."""
    return is_object(schema) and schema.get("type") == "object" and _fits(schema)


def _fits(node: Any) -> bool:
    if not is_object(node):
        return False
    words = node.keys() - _ABOUT
    if words in ({"$ref"}, {"anyOf"}):
        branches = node.get("anyOf", [])
        return is_list(branches) and all(_fits(branch) for branch in branches)
    kinds = node.get("type")
    if is_list(kinds):  # such as ["string", "null"]
        scalars = [_SCALARS[kind] for kind in kinds if isinstance(kind, str) and kind in _SCALARS]
        return len(scalars) == len(kinds) and words <= frozenset[str]().union(*scalars)
    if kinds == "object":
        return words <= _OBJECT and _object_fits(node)
    if kinds == "array":
        return words <= _ARRAY and _fits(node.get("items"))
    return isinstance(kinds, str) and kinds in _SCALARS and words <= _SCALARS[kinds]


def _object_fits(node: Mapping[str, Any]) -> bool:
    properties, required, definitions = node.get("properties"), node.get("required"), node.get("$defs", {})
    return (
        node.get("additionalProperties") is False
        and is_object(properties)
        and is_list(required)
        and set(properties) == {name for name in required if isinstance(name, str)}
        and all(_fits(child) for child in properties.values())
        and is_object(definitions)
        and all(_fits(child) for child in definitions.values())
    )
