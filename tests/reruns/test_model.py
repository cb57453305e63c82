"""Any sequence of edits, runs, failures and resumes asks for what changed and nothing else, as an oracle has it.

The real thing runs: a worker process, the answer store, manifests, journals. Every answer is new, so that one which
was reused cannot be mistaken for one that was asked for again.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from engine.errors import StepFailed
from engine.providers.base import Question
from engine.surroundings import RunOutcome
from tests.rig import Rig, kinds

FILES = ("a.txt", "b.txt")
WORDS = st.sampled_from(["alpha", "beta", "gamma", "delta"])
READS = st.sampled_from([(), ("a.txt",), ("b.txt",), ("*.txt",)])


@dataclass(frozen=True)
class Line:
    """One step of the script: what it asks, whether its prompt holds the answer before it, and what it reads."""

    word: str
    follows: bool = False
    reads: tuple[str, ...] = ()
    label: str = "step"
    effort: str | None = None

    def source(self) -> str:
        prompt = f'"{self.word} after " + str(last)' if self.follows else f'"{self.word}"'
        effort = "" if self.effort is None else f", effort={self.effort!r}"
        asked = f"agent({prompt}, label={self.label!r}, reads={list(self.reads)!r}{effort})"
        return (
            f"    try:\n        last = await {asked}\n"
            "    except AgentError as error:\n        last = error.reason\n"
            "    said.append(last)\n"
        )


THEN = st.sampled_from(["run", "resume", "run", "resume", "go on editing"])
LINES = st.builds(Line, WORDS, st.booleans(), READS)


@dataclass
class Oracle:
    """What must be asked, and what the script must see."""

    kept: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def run(
        self, lines: list[Line], files: list[dict[str, str]], failing: str | None, new: Callable[[], str]
    ) -> tuple[list[str], list[str]]:
        """The prompts that are asked and the values that the script gets; new answers come from `new`.

        `files` are the workspace as earlier runs saw it, where one is taken up again, and last as it is now.
        """
        asked: list[str] = []
        said: list[str] = []
        seen: Counter[tuple[Any, ...]] = Counter()
        last = "None"
        for line in lines:
            prompt = f"{line.word} after {last}" if line.follows else line.word
            for at in self._different(line, files):
                parts = (prompt, line.effort, line.reads != (), at)
                seen[parts] += 1
                key = (*parts, seen[parts])
                if key in self.kept:
                    break
            if key not in self.kept:
                asked.append(prompt)
                if line.word == failing:
                    said.append(last := "refused")
                    continue
                self.kept[key] = new()
            said.append(last := self.kept[key])
        return asked, said

    @staticmethod
    def _different(line: Line, files: list[dict[str, str]]) -> list[tuple[tuple[str, str], ...]]:
        """What the step reads at each time, each content once, at the last of its times."""
        names = [name for name in FILES if name in line.reads or "*.txt" in line.reads]
        contents = [tuple((name, at[name]) for name in names) for at in files]
        return [content for place, content in enumerate(contents) if content not in contents[place + 1 :]]


class Reruns(RuleBasedStateMachine):
    """One workspace and its script, edited and run again and again."""

    def __init__(self) -> None:
        super().__init__()
        self._place = tempfile.TemporaryDirectory()
        self.rig = Rig(Path(self._place.name))
        self.oracle = Oracle()
        self.lines = [Line("alpha", reads=("a.txt",)), Line("beta", follows=True)]
        self.files: dict[str, str] = dict.fromkeys(FILES, "0")
        self.failing: str | None = None
        self.answers = 0
        self.last: RunOutcome | None = None
        self.known: list[dict[str, str]] = []
        """The files as the last run knew them, and those before that it took up again; none when it had no need."""
        for name, content in self.files.items():
            (self.rig.workspace / name).write_text(content)

    def teardown(self) -> None:
        self._place.cleanup()

    @rule(place=st.integers(0, 4), line=LINES, then=THEN)
    def put_in_a_step(self, place: int, line: Line, then: str) -> None:
        if len(self.lines) < 6:
            self.lines.insert(min(place, len(self.lines)), line)
        self._go(then)

    @rule(place=st.integers(0, 4), then=THEN)
    def double_a_step(self, place: int, then: str) -> None:
        if len(self.lines) < 6:
            self.lines.append(self.lines[place % len(self.lines)])
        self._go(then)

    @rule(place=st.integers(0, 4), then=THEN)
    def take_out_a_step(self, place: int, then: str) -> None:
        if len(self.lines) > 1:
            del self.lines[place % len(self.lines)]
        self._go(then)

    @rule(place=st.integers(0, 4), word=WORDS, then=THEN)
    def edit_a_prompt(self, place: int, word: str, then: str) -> None:
        self._change(place, word=word)
        self._go(then)

    @rule(place=st.integers(0, 4), label=WORDS, then=THEN)
    def change_a_label(self, place: int, label: str, then: str) -> None:
        self._change(place, label=label)
        self._go(then)

    @rule(place=st.integers(0, 4), effort=st.sampled_from([None, "low", "high"]), then=THEN)
    def change_an_option(self, place: int, effort: str | None, then: str) -> None:
        self._change(place, effort=effort)
        self._go(then)

    @rule(name=st.sampled_from(FILES), content=st.sampled_from("012"), then=THEN)
    def edit_a_file(self, name: str, content: str, then: str) -> None:
        self.files[name] = content
        (self.rig.workspace / name).write_text(content)
        self._go(then)

    @rule(word=st.one_of(st.none(), WORDS), then=THEN)
    def let_a_prompt_fail(self, word: str | None, then: str) -> None:
        self.failing = word
        self._go(then)

    def _go(self, then: str) -> None:
        if then == "run":
            self._run(parent=None, earlier=[])
        elif then == "resume" and self.last is not None:
            self._run(parent=self.last.run_id, earlier=self.known)

    @invariant()
    def the_record_is_whole(self) -> None:
        if self.last is not None:
            assert kinds(self.last)[-1] == "RunFinished"

    def _change(self, place: int, **what: Any) -> None:
        place %= len(self.lines)
        self.lines[place] = replace(self.lines[place], **what)

    def _run(self, parent: str | None, earlier: list[dict[str, str]]) -> None:
        files = [*(at for at in earlier if at != self.files), dict(self.files)]
        before = self.answers
        asked, said = self.oracle.run(self.lines, files, self.failing, self._new)
        self.answers = before
        self.rig.asked.clear()
        body = "".join(line.source() for line in self.lines)
        source = f"async def main(args):\n    said, last = [], None\n{body}    return said\n"
        outcome = anyio.run(self._real, source, parent)
        assert outcome.result == said
        assert [question.prompt for question in self.rig.asked] == asked
        self.known = files if any(line.reads for line in self.lines) else []
        self.last = outcome

    async def _real(self, source: str, parent: str | None) -> RunOutcome:
        return await self.rig.run(source, reply=self._reply, parent=parent, retries=0)

    def _reply(self, question: Question) -> str:
        if question.prompt.split()[0] == self.failing:
            raise StepFailed("refused", "not today")
        return self._new()

    def _new(self) -> str:
        self.answers += 1
        return f"answer-{self.answers}"


Reruns.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestReruns = Reruns.TestCase
