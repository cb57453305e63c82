"""The live view on a real terminal: a pseudo-terminal of a given size, and what is sent to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.console import ROOT, Mco

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix's")

COLUMNS = 60


def _on_a_terminal(project: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout (a pipe) and everything that the terminal behind stderr was sent."""
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "workflows.cli.main", *arguments],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    sent = b""
    try:
        while piece := _read(ours):
            sent += piece
    finally:
        os.close(ours)
        output, _ = process.communicate()
    return process.returncode, output.decode(), sent.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""


def test_a_run_is_painted_and_the_cursor_comes_back(project: Path, hello: Path) -> None:
    code, output, sent = _on_a_terminal(project, "run", "hello.py", "-a", "times=2", "--provider", "fake")

    assert code == 0
    assert output == "# Said\n\necho:hello 0, you\necho:hello 1, you\n"
    assert sent.index("\x1b[?25l") < sent.rindex("\x1b[?25h")
    last = sent[sent.rindex("\x1b[1A") :]
    assert last.count("✓") == 2
    assert "phase Greet" not in sent  # that would be the plain view


def test_plain_lines_are_given_to_whoever_asks(project: Path, hello: Path) -> None:
    _, _, sent = _on_a_terminal(project, "run", "hello.py", "-a", "times=1", "--provider", "fake", "--plain")

    assert "phase Greet" in sent
    assert "\x1b" not in sent


def test_a_script_shown_on_a_terminal_hides_nothing_with_codes(
    project: Path, monkeypatch: pytest.MonkeyPatch, mco: Mco
) -> None:
    (project / "sly.py").write_text("# \x1b[8mhidden\x1b[0m\nmeta = {}\n", encoding="utf-8")
    assert mco("show", "sly.py", "--source").stdout == "# \x1b[8mhidden\x1b[0m\nmeta = {}\n"

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert mco("show", "sly.py", "--source").stdout == "# hidden\nmeta = {}\n"
