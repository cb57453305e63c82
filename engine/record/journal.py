"""The journal of a run on disk: JSON lines, appended only, read back even when the last line is torn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic_core import to_json

from engine.errors import StorageFailed
from engine.record.events import JOURNAL_VERSION, Event, Happening, RunFinished, RunStarted, read_event
from engine.record.folder import take_back


class Journal:
    """Appends events to a file, one line each, in one `write` a line, so that a killed run leaves whole lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting = b""
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _storage(path, error) from error

    def write(self, event: Happening, *, more: bool = False) -> None:
        """Append one event; the operating system has it when this returns. StorageFailed when it cannot.

        With `more` it waits for the next one, or for `flush`, and both are one `write`.
        """
        self._waiting += to_json(event) + b"\n"
        if not more:
            self.flush(last=isinstance(event, RunFinished))

    def flush(self, *, last: bool = False) -> None:
        """Append what waits; after the `last` event the disk itself has it all."""
        lines, self._waiting = self._waiting, b""
        written = 0
        try:
            while written < len(lines):  # a disk that is nearly full takes a part
                written += os.write(self._file, lines[written:])
            if last:
                os.fsync(self._file)
        except OSError as error:
            take_back(self._file, written)
            raise _storage(self.path, error) from error

    def close(self) -> None:
        """Close the file; harmless when called twice."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


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
        self.damaged = 0
        """Lines passed over because they were not events, as a crash or a foreign hand leaves them."""

    def read(self) -> Iterator[Event]:
        """The events written since the last call. StorageFailed on a newer major version or an unreadable file."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError as error:
            raise StorageFailed(
                "the journal cannot be read", where=str(self.path), why=error.strerror or str(error)
            ) from error
        whole, newline, _torn = data.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for line in whole.splitlines():
            event = self._event(line)
            if event is not None:
                yield event

    def _event(self, line: bytes) -> Event | None:
        try:
            event = read_event(line)
        except ValueError:
            self.damaged += 1
            return None
        if isinstance(event, RunStarted) and event.journal_version > JOURNAL_VERSION:
            raise StorageFailed(
                f"the journal has version {event.journal_version}, this mco reads up to {JOURNAL_VERSION}",
                where=str(self.path),
                hint="update mco",
            )
        return event


def read_journal(path: Path) -> list[Event]:
    """All whole events of a journal."""
    return list(JournalReader(path).read())
