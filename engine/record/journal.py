"""The journal of a run on disk: JSON lines, appended only, read back even when the last line is torn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, get_args

from pydantic_core import from_json, to_json

from engine.errors import StorageFailed
from engine.json_value import is_object
from engine.record.events import (
    JOURNAL_VERSION,
    Event,
    Happening,
    RunFinished,
    RunStarted,
    read_event,
)
from engine.record.folder import take_back
from engine.record.plain_file import open_plain


class Journal:
    """Appends events to a file, one line each, in one `write` a line, so that a killed run leaves whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting = b""
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _storage(path, error) from error

    def write(self, event: Happening, *, more: bool = False, sync: bool = False) -> None:
        """Append one event; the operating system has it when this returns. StorageFailed when it cannot.

        With `more` it waits for the next one, or for `flush`, and both are one `write`. With `sync`, and after the
        last event, the disk itself has all of them.
        """
        self._waiting += to_json(event) + b"\n"
        if not more:
            self.flush(sync=sync or isinstance(event, RunFinished))

    def flush(self, *, sync: bool = False) -> None:
        """Append what waits; with `sync` the disk itself has it when this returns."""
        lines, self._waiting = self._waiting, b""
        written = 0
        try:
            while written < len(lines):  # a disk that is nearly full takes a part
                written += os.write(self._file, lines[written:])
            if sync:
                os.fsync(self._file)
        except OSError as error:
            take_back(self._file, written)
            raise _storage(self.path, error) from error

    def sync(self) -> None:
        """Have the disk itself take what was written; StorageFailed when it cannot."""
        try:
            os.fsync(self._file)
        except OSError as error:
            raise _storage(self.path, error) from error

    def mend(self) -> None:
        """Cut off a torn line at the end, as a crash leaves it. StorageFailed when it cannot."""
        try:
            with open_plain(self.path) as file:
                os.ftruncate(self._file, _end_of_lines(file, os.fstat(self._file).st_size))
        except OSError as error:
            raise _storage(self.path, error) from error

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _end_of_lines(file: BinaryIO, size: int) -> int:
    """Where the last whole line ends, looked for from the end."""
    while size > 0:
        start = max(0, size - _TAIL)
        file.seek(start)
        found = file.read(size - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size = start
    return 0


def _storage(path: Path, error: OSError) -> StorageFailed:
    return StorageFailed(
        "the journal cannot be written",
        where=str(path),
        why=error.strerror or str(error),
        hint="free some space or make the folder writable, then run it again: finished steps are reused",
    )


class JournalReader:
    """Reads a journal piece by piece as it grows; a line that is not whole yet waits for the next call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._within = False
        """Whether the offset stands in a line that is too long."""
        self.damaged = 0
        """Lines passed over because they were not events, as a crash or a foreign hand leaves them."""
        self.unknown = 0
        """Events passed over because only a newer mco knows their kind; without them the rest is as true."""
        self.seq = 0
        """That of the last event, one that was passed over included."""

    def read(self) -> Iterator[Event]:
        """The events written since the last call. StorageFailed on a newer major version or an unreadable file."""
        try:
            with open_plain(self.path) as file:
                file.seek(self._offset)
                for line in self._lines(file):
                    event = self._event(line)
                    if event is not None:
                        yield event
        except OSError as error:
            raise StorageFailed(
                "the journal cannot be read", where=str(self.path), why=error.strerror or str(error)
            ) from error

    def _lines(self, file: BinaryIO) -> Iterator[bytes]:
        """The whole lines from here on. Of one that is longer than any of ours is only said that it is damaged."""
        while line := file.readline(LONGEST_LINE):
            whole = line.endswith(b"\n")
            if not whole and len(line) < LONGEST_LINE:
                return  # it is being written
            self._offset += len(line)
            if whole and not self._within:
                yield line
            self.damaged += whole and self._within
            self._within = not whole

    def _event(self, line: bytes) -> Event | None:
        try:
            event = read_event(line)
        except ValueError:
            self._pass_over(line)
            return None
        self.seq = event.seq
        if isinstance(event, RunStarted) and event.journal_version > JOURNAL_VERSION:
            raise StorageFailed(
                f"the journal has version {event.journal_version}, this mco reads up to {JOURNAL_VERSION}",
                where=str(self.path),
                hint="update mco",
            )
        return event

    def _pass_over(self, line: bytes) -> None:
        seq = _seq_of_unknown(line)
        if seq is None:
            self.damaged += 1
        else:
            self.unknown += 1
            self.seq = seq


def read_journal(path: Path) -> list[Event]:
    """All whole events of a journal."""
    return list(JournalReader(path).read())


class Ends(NamedTuple):
    """The first and the last event of a journal, None where there is none, and whether a torn line follows."""

    first: Event | None
    last: Event | None
    torn: bool


def journal_ends(path: Path) -> Ends:
    """Both ends of a journal, without what is between them. OSError when it cannot be read."""
    with open_plain(path) as file:
        first = file.readline(LONGEST_LINE)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        whole, _, torn = file.read().rpartition(b"\n")
    return Ends(_event_in(first), _event_in(whole.rpartition(b"\n")[2]), bool(torn))


def last_event(path: Path) -> Event | None:
    """The event in the last whole line, None when there is none. OSError when the journal cannot be read."""
    return journal_ends(path).last


def _event_in(line: bytes) -> Event | None:
    try:
        return read_event(line)
    except ValueError:
        return None


LONGEST_LINE = 64 * 1024 * 1024
"""Answers are told in part, arguments and messages are bounded: no line of ours comes near."""
_TAIL = 256 * 1024
"""The last event of a run is looked for in so many bytes."""
_KINDS = frozenset(kind.__name__ for kind in get_args(Event))


def _seq_of_unknown(line: bytes) -> int | None:
    """The `seq` of an event of a newer mco: it has one, and a kind that we do not know. None for any other line."""
    try:
        event: Any = from_json(line)
    except ValueError:
        return None
    if not is_object(event) or not isinstance(kind := event.get("kind"), str) or kind in _KINDS:
        return None
    seq = event.get("seq")
    return seq if type(seq) is int else None
