"""What a program printed, kept byte for byte beside its step."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from engine.errors import StorageFailed


class RawOutput:
    """A file that is made with its first line; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> RawOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, line: bytes | bytearray) -> None:
        """Keep one line, which comes without its newline. StorageFailed when the disk does not take it."""
        if self._path is None:
            return
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("wb")
            self._file.write(line)
            self._file.write(b"\n")
        except OSError as error:
            raise StorageFailed(
                "a program's output cannot be kept",
                where=str(self._path),
                why=error.strerror or str(error),
                hint="free some space, then run it again: finished steps are reused",
            ) from error
