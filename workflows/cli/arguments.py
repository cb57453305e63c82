"""A workflow's arguments as they come from the command line and from files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from engine.errors import UsageError


def read_texts(pairs: Iterable[str]) -> dict[str, str]:
    """`key=value` pairs by key. UsageError on one that is none, or on a key given twice."""
    texts: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"{pair!r} is no argument", hint="write it as -a key=value")
        if not _is_text(pair):
            raise UsageError(f"the argument {key!r} is not UTF-8", hint="put it into a file, see --args-file")
        if key in texts:
            raise UsageError(f"the argument {key!r} is given twice", hint="give it once")
        texts[key] = value
    return texts


def read_args_file(name: str | None, folder: Path) -> dict[str, Any]:
    """The JSON object in a file; `-` is stdin, None is no file. UsageError when there is no such object."""
    if name is None:
        return {}
    where = "stdin" if name == "-" else str(folder / name)
    try:
        text = sys.stdin.buffer.read() if name == "-" else (folder / name).read_bytes()
    except OSError as error:
        raise UsageError(
            "the arguments cannot be read", where=where, why=error.strerror or str(error)
        ) from None
    return _object(text, where)


def _is_text(pair: str) -> bool:
    """Whether the bytes of the command line were UTF-8: Python keeps others as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in pair)


def _object(text: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError:
        raise UsageError("the arguments are not UTF-8", where=where, hint="save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise UsageError(
            "the arguments are not JSON", where=f"{where}:{error.lineno}:{error.colno}", why=error.msg
        ) from None
    except (ValueError, RecursionError) as error:
        raise UsageError("the arguments are not JSON", where=where, why=str(error)) from None
    if not isinstance(value, dict):
        raise UsageError("the arguments are not a JSON object", where=where, hint='write {"key": "value"}')
    return cast("dict[str, Any]", value)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
