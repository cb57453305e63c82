"""Asks before a script of a project runs here for the first time, and when it has changed; keeps the answer."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import click

from engine.errors import StorageFailed, UsageError
from engine.text import clean_line
from workflows.cli.caller import Caller, read_source
from workflows.cli.outlet import tell
from workflows.script import Script

if TYPE_CHECKING:
    from engine.settings import Settings
    from engine.source import ScriptSource

_WORDS = {"y": "yes", "a": "always", "n": "no", "s": "show"}
_MEANINGS = {
    "y": "yes, this version of it",
    "a": "always: every script of this project, also when it changes",
    "n": "no",
    "s": "show all of it first",
}
_ROWS_AROUND = 18
"""What stands around the listing, so that the question and what it is about fit on one screen."""
_FEWEST_ROWS = 6
_LONGEST_COMMAND = 1_500


class Permission(Protocol):
    """Says whether scripts may run; UsageError when not."""

    def to_run(self, script: Script, source: ScriptSource, settings: Settings) -> None:
        """Before anything of a script runs."""
        ...

    def to_call(self, name: str) -> ScriptSource:
        """The script that `workflow()` names."""
        ...


class Consent(NamedTuple):
    """Whether scripts may run: they were agreed to before, `given` says so (`--trust`), or somebody is asked."""

    caller: Caller
    given: bool = False
    remark: str = ""
    """What a yes means beyond what it always means."""

    def to_run(self, script: Script, source: ScriptSource, settings: Settings) -> None:
        """Before anything of a script runs. UsageError unless somebody agrees to it."""
        trust = self.caller.trust
        if trust.covers(script, source):
            return
        if damage := trust.damage():
            tell(clean_line(f"warning: {trust.file}, where mco keeps what you trust: {damage}", 1_000))
        if self.given:
            self.remember(source)
        elif somebody_is_there():
            self._ask(source, settings)
        else:
            raise UsageError(
                self._what(source),
                where=str(source.path),
                why="a script of a project asks once before it runs, and there is no terminal to ask on",
                hint=_way_out(source, self.caller.arguments),
            )

    def to_call(self, name: str) -> ScriptSource:
        """A script that `workflow()` names. Nobody can be asked in the middle of a run: UsageError without a yes."""
        script = self.caller.library.find(name, self.caller.folder)
        source = read_source(script, name)
        trust = self.caller.trust
        if trust.covers(script, source):
            return source
        inside = trust.is_inside(source)
        if self.given and inside:  # a yes to this run reaches no further than the project
            self.remember(source)
            return source
        arguments = self.caller.arguments if inside else ("run", source.reference)
        raise UsageError(
            f"workflow({name!r}): {self._what(source)}",
            where=str(source.path),
            why="a script that another one calls has to be trusted too",
            hint=_way_out(source, arguments),
        )

    def _ask(self, source: ScriptSource, settings: Settings) -> None:
        # Most scripts were agreed to, and nobody looks at them again.
        from workflows.cli.exhibit import Listing, facts, remark

        listing = Listing(source.source)
        width, rows = _size()
        excerpt = listing.excerpt(max(_FEWEST_ROWS, rows - _ROWS_AROUND), width)
        about = facts(source, settings, self.caller.registry(settings))
        tell("\n".join([f"{self._what(source)}.", "", *about, "", *excerpt.lines, ""]))
        trust = self.caller.trust
        choices = "yans" if trust.is_inside(source) and trust.has_project() else "yns"
        meanings = [f"  {letter}  {_MEANINGS[letter]}" for letter in choices]
        more = [f"  {self.remark}"] if self.remark else []
        tell("\n".join([*remark(listing, excerpt), *meanings, *more]))
        while (answer := _answer(choices)) == "s":
            tell("\n".join(listing.lines()))
        if answer == "n":
            raise UsageError(
                f"{_name(source)} was not run", why="you did not agree to it", hint=_look_at(source)
            )
        if answer == "a":
            _keep(lambda: trust.agree_to_project(self.caller.clock()))
        else:
            self.remember(source)

    def remember(self, source: ScriptSource) -> None:
        """Keep a yes to these bytes."""
        path = source.path
        if path is not None:
            _keep(lambda: self.caller.trust.agree(path, source.digest, self.caller.clock()))

    def _what(self, source: ScriptSource) -> str:
        earlier = self.caller.trust.earlier(source)
        if earlier is None:
            return f"{_name(source)} is not trusted here yet"
        day = time.strftime("%Y-%m-%d", time.localtime(earlier.at))
        return f"{_name(source)} has changed since you trusted it on {day}"


def with_trust(arguments: Sequence[str]) -> str:
    """The same command line with `--trust`, for a shell."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    line = _for_a_shell("mco", *arguments[:at], "--trust", *arguments[at:])
    return line if len(line) <= _LONGEST_COMMAND else "the same command with --trust"


def _keep(write: Callable[[], None]) -> None:
    """An answer that cannot be written down holds for this run all the same."""
    try:
        write()
    except StorageFailed as error:
        tell(clean_line(f"warning: {error}; you will be asked again", 1_000))


def _way_out(source: ScriptSource, arguments: Sequence[str]) -> str:
    return f"{_look_at(source)}, then: {with_trust(arguments)}"


def _look_at(source: ScriptSource) -> str:
    return f"look at it with: {_for_a_shell('mco', 'show', source.reference, '--source')}"


def _for_a_shell(*words: str) -> str:
    import shlex  # only a refusal pays for it

    return shlex.join(words)


def _name(source: ScriptSource) -> str:
    return clean_line(source.name)


def somebody_is_there() -> bool:
    """Whether a person can read the question and type an answer."""
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and not stream.closed and stream.isatty() for stream in streams)


def _size() -> tuple[int, int]:
    try:
        size = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        return 80, 24
    return size.columns or 80, size.lines or 24


def _answer(choices: str) -> str:
    """One of the letters; the end of the input and an empty line are a no."""
    question = f"run it? [{'/'.join(choices)}] (n) "
    while True:
        _forget_what_was_typed()
        click.echo(question, nl=False, err=True)
        typed = _line()
        for letter in choices:
            if typed in (letter, _WORDS[letter]):
                return letter
        if not typed:
            return "n"
        tell(f"please answer {', '.join(choices[:-1])} or {choices[-1]}")


def _line() -> str:
    try:
        typed = sys.stdin.buffer.readline(1024)
    except OSError:  # the terminal is gone
        return ""
    if not typed.endswith(b"\n"):
        tell("")
    return typed.decode("ascii", "replace").strip().lower()


def _forget_what_was_typed() -> None:
    """What somebody typed before they could read the question is no answer to it."""
    if sys.platform == "win32":
        return
    import termios

    try:
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
    except termios.error:
        return
