"""What a workflow says of itself, for people: where it is, its phases, what it takes, how to run it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.json_value import is_list, is_object
from engine.text import clean_line
from workflows.cli.figures import count
from workflows.cli.table import stdout_width, wrapped
from workflows.inspection import Inspected
from workflows.script import Meta


def page_lines(one: Inspected, meta: Meta, reference: str) -> list[str]:
    """The page of a workflow that was asked for as `reference`."""
    script = one.script
    lines = [
        *wrapped([(f"{script.name}: {meta.description}",)], stdout_width()),
        "",
        f"where: {clean_line(str(script.path))} ({script.origin})",
    ]
    lines += [f"hides: {_hidden(path)}" for path in script.shadows]
    if meta.phases:
        lines += ["", "phases:"]
        lines += _indented([(phase.title, phase.detail) for phase in meta.phases])
    lines += ["", *_arguments(meta), "", f"run it with: mco run {clean_line(reference)}{_example(meta)}"]
    return lines


def _hidden(path: Path) -> str:
    return clean_line(str(path))


def _arguments(meta: Meta) -> list[str]:
    if meta.args is None:
        return ["arguments: any"]
    properties = meta.args.get("properties")
    if not is_object(properties) or not properties:
        return ["arguments: none"]
    required = _required(meta)
    rows = [_argument(name, schema, required=name in required) for name, schema in properties.items()]
    return [f"arguments ({count(len(rows), 'name')}):", *_indented(rows)]


def _indented(rows: Sequence[Sequence[str]]) -> list[str]:
    width = stdout_width()
    return [f"  {line}" for line in wrapped(rows, width and width - 2)]


def _required(meta: Meta) -> list[Any]:
    required = meta.args.get("required") if meta.args else None
    return required if is_list(required) else []


def _argument(name: str, schema: Any, *, required: bool) -> tuple[str, str, str, str]:
    described: Mapping[str, Any] = schema if is_object(schema) else {}
    kind = described.get("type", "any")
    kinds = " or ".join(map(str, kind)) if is_list(kind) else str(kind)
    if "default" in described:
        presence = f"default {json.dumps(described['default'], ensure_ascii=False)}"
    else:
        presence = "required" if required else "optional"
    return name, kinds, presence, str(described.get("description", ""))


def _example(meta: Meta) -> str:
    return "".join(f" -a {clean_line(str(name), 40)}=…" for name in _required(meta))
