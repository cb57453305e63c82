"""From the bytes of a script file to its text. Not parsing: nothing here looks at what the text says."""

from __future__ import annotations

import codecs

from engine.errors import Problem, ScriptRefused

SOURCE_BYTES = 1024 * 1024
"""More than this is not even sent to a worker, which itself takes less."""


def decode_source(name: str, source: bytes) -> str:
    """The text of a script, without a byte order mark. ScriptRefused when it is not UTF-8, or holds a NUL."""
    if len(source) > SOURCE_BYTES:
        raise _refused(name, b"", f"the file has {len(source):,} bytes", "this is too large for a script")
    source = source.removeprefix(codecs.BOM_UTF8)
    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        message = f"the file is not UTF-8: byte {source[error.start]:#04x} at offset {error.start}"
        raise _refused(name, source[: error.start], message, "save it as UTF-8") from None
    if (offset := source.find(b"\0")) >= 0:
        message = f"the file holds a NUL byte at offset {offset}"
        raise _refused(name, source[:offset], message, "save it as plain text")
    return text


def _refused(name: str, before: bytes, message: str, hint: str) -> ScriptRefused:
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
    return ScriptRefused(name, [Problem(line, column, message, hint)])
