"""JSON Schema: refuse what could hang us, check values against the rest, and find JSON in a model's prose.

Validation itself is `jsonschema-rs`: linear-time regular expressions, no retrieval. Schemas come from scripts, so
they are bounded here first: size, depth, local and acyclic references only (a cycle could recurse for ever).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from engine.errors import UsageError
from engine.json_value import is_list, is_object
from engine.step import canonical

MAXIMUM_BYTES = 256 * 1024
MAXIMUM_DEPTH = 64
MAXIMUM_EXPANDED = 10_000
"""How many subschemas a schema may have once its references are followed; stops exponential `anyOf` ladders."""

JSONSchema = Mapping[str, Any] | bool


class SchemaRefused(ValueError):
    """The schema is none, or is one that we do not take; the message says why."""


class Schema:
    """A checked schema. Raises SchemaRefused when it is not valid, too large, recursive or refers elsewhere."""

    def __init__(self, schema: JSONSchema) -> None:
        # Imported here: a run without schemas starts 30 ms sooner.
        import jsonschema_rs

        _check_bounds(schema)
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                cast("Any", schema), pattern_options=jsonschema_rs.RegexOptions(), offline=True
            )
        except (ValueError, jsonschema_rs.ValidationError) as error:
            reason = str(getattr(error, "message", error)).splitlines()[0]
            raise SchemaRefused(f"not a valid JSON Schema: {reason}") from None

    def problems(self, value: Any) -> list[str]:
        """What is wrong with a value, at most ten lines such as `$.items[2].line: "x" is not of type "integer"`."""
        found: list[str] = []
        for error in self._validator.iter_errors(value):
            found.append(f"{_path(error.instance_path)}: {error.message[:300]}")
            if len(found) == 10:
                break
        return found


def _path(steps: list[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _check_bounds(schema: object) -> None:
    if not isinstance(schema, (Mapping, bool)):
        raise SchemaRefused(f"a schema is an object, not {type(schema).__name__}")
    try:
        size = len(canonical(schema))
    except (ValueError, TypeError, RecursionError) as error:
        raise SchemaRefused(f"the schema is not JSON: {error}") from None
    if size > MAXIMUM_BYTES:
        raise SchemaRefused(f"the schema has {size:,} bytes; at most {MAXIMUM_BYTES:,} are taken")
    _Expansion(schema).check()


class _Expansion:
    """Counts the subschemas of a schema with its local references followed; each target is counted once and kept."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[str, int] = {}
        self._open: set[str] = set()

    def check(self) -> None:
        if self._count(self._root, 0) > MAXIMUM_EXPANDED:
            raise SchemaRefused("the schema is too large once its references are followed")

    def _count(self, node: Any, depth: int) -> int:
        if depth > MAXIMUM_DEPTH:
            raise SchemaRefused(f"the schema is nested deeper than {MAXIMUM_DEPTH} levels")
        total = 1
        for name, child in _children(node):
            if name == "$ref" and isinstance(child, str):
                total += self._reference(child, depth)
            elif name in ("$dynamicRef", "$recursiveRef"):
                raise SchemaRefused(f"{name} is not taken; use $ref to something under $defs")
            else:
                total += self._count(child, depth + 1)
        return min(total, MAXIMUM_EXPANDED + 1)

    def _reference(self, reference: str, depth: int) -> int:
        if reference in self._known:
            return self._known[reference]
        if reference in self._open or reference == "#":
            raise SchemaRefused(f"the schema refers to itself ({reference}); recursive schemas are not taken")
        self._open.add(reference)
        self._known[reference] = self._count(_target(self._root, reference), depth + 1)
        self._open.discard(reference)
        return self._known[reference]


def _children(node: Any) -> Iterator[tuple[str, Any]]:
    if is_object(node):
        yield from node.items()
    elif isinstance(node, (list, tuple)):
        for child in cast("Sequence[Any]", node):
            yield "", child


def _target(root: Any, reference: str) -> Any:
    if not reference.startswith("#/"):
        raise SchemaRefused(f"$ref {reference[:80]!r} is not local; only '#/$defs/…' is taken")
    node: Any = root
    for raw in reference[2:].split("/"):
        name = raw.replace("~1", "/").replace("~0", "~")
        if not is_object(node) or name not in node:
            raise SchemaRefused(f"$ref {reference[:80]!r} points at nothing")
        node = node[name]
    return node


_FENCE = "```"


def find_json(text: str) -> Any:
    """The JSON value in a model's answer: the whole text, else the last fenced block, else the outermost braces.

    ValueError when there is none.
    """
    for candidate in _candidates(text):
        try:
            return json.loads(candidate, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            continue
    raise ValueError("no JSON value was found in the answer")


def _candidates(text: str) -> Iterator[str]:
    yield text.strip()
    yield from reversed(_fenced(text))
    for opening, closing in (("{", "}"), ("[", "]")):
        start, end = text.find(opening), text.rfind(closing)
        if 0 <= start < end:
            yield text[start : end + 1]


def _fenced(text: str) -> list[str]:
    """The contents of the fenced blocks that are marked as JSON or not at all. One pass: prose may be long."""
    blocks: list[str] = []
    inside: list[str] | None = None
    mark = ""
    for line in text.split("\n"):
        if inside is None:
            if line.count(_FENCE) == 1:
                inside, mark = [], line.partition(_FENCE)[2].strip().lower()
        elif line.lstrip(" \t").startswith(_FENCE):
            blocks += ["\n".join(inside)] if mark in ("", "json") else []
            inside = None
        else:
            inside.append(line)
    return blocks


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def instruction(schema: JSONSchema) -> str:
    """What a prompt says to a provider that has no schema option of its own."""
    return (
        "\n\nAnswer with one JSON value and nothing else: no prose before or after it, no code fence. "
        f"It must be valid against this JSON Schema:\n{canonical(schema)}\n"
    )


def check_arguments(schema: JSONSchema | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a workflow with the schema's defaults filled in. UsageError names each one that is wrong.

    A workflow without a schema takes any. Unless the schema says otherwise, a name that it does not list is refused,
    since a misspelt argument would silently fall back to its default.
    """
    _check_text(given)
    if not is_object(schema):
        return dict(given)
    properties = _properties(schema)
    closed = {"additionalProperties": False, **schema}
    arguments: dict[str, Any] = {
        **{name: p["default"] for name, p in properties.items() if is_object(p) and "default" in p},
        **given,
    }
    try:
        problems = Schema(closed).problems(arguments)
    except SchemaRefused as error:
        raise UsageError(f"the workflow's meta has an `args` that is no schema: {error}") from None
    if problems:
        raise UsageError(
            "the arguments do not fit the workflow", why="; ".join(problems), hint=_expected(schema)
        )
    return arguments


def _check_text(given: Mapping[str, Any]) -> None:
    try:
        json.dumps(given, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise UsageError("the arguments are not JSON that can be written down", why=str(error)) from None


def _properties(schema: JSONSchema | None) -> Mapping[str, Any]:
    properties = schema.get("properties") if is_object(schema) else None
    return properties if is_object(properties) else {}


def _expected(schema: Mapping[str, Any]) -> str:
    properties = _properties(schema)
    required = schema.get("required", [])
    names = [_described(name, wanted, name in required) for name, wanted in properties.items()]
    return f"it takes {', '.join(names)}" if names else "it takes no arguments"


def _described(name: str, wanted: Any, required: bool) -> str:
    kind = wanted.get("type") if is_object(wanted) else None
    facts = [*([kind] if isinstance(kind, str) else []), *(["required"] if required else [])]
    return f"{name} ({', '.join(facts)})" if facts else name


def coerce_arguments(schema: JSONSchema | None, raw: Mapping[str, str]) -> dict[str, Any]:
    """`-a key=value` pairs as JSON values: text where the schema says text, otherwise JSON where it parses as JSON."""
    properties = _properties(schema)
    return {name: _coerce(properties.get(name), text) for name, text in raw.items()}


def _coerce(wanted: Any, text: str) -> Any:
    kinds: Any = wanted.get("type", []) if is_object(wanted) else []
    if kinds == "string" or (is_list(kinds) and "string" in kinds):
        return text
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text
