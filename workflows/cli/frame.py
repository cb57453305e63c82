"""One picture of a run for a terminal of a given size. A pure function of the view; no line is wider than it may be.

Long runs stay calm: with little room the remarks go first, then the steps of ended phases, then ended steps, and at
last all but the first open steps. It never looks at more steps than it can show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rich.cells import cell_len
from rich.text import Text

from engine.record.step_view import StepState, StepView
from engine.record.view import PhaseView, RunView
from engine.text import clean_line
from workflows.cli import phrases
from workflows.cli.figures import count, duration
from workflows.cli.glyphs import Glyph

_LOG_LINES = 5
_LOST = 3
"""How many failed steps of a phase are named when there is no room for all."""
_WIDEST_PROVIDER = 28
_FIGURES = 22
"""The sign, the seconds, the tokens and the spaces around them."""
_REMARK = 18
"""The least that is kept for a remark."""


@dataclass(frozen=True, slots=True)
class Detail:
    """How much is shown: lines for a remark below its step, steps of ended phases, ended steps, log lines."""

    remarks: int
    ended_phases: bool
    ended_steps: bool
    log_lines: int


_DETAILS = (
    Detail(remarks=4, ended_phases=True, ended_steps=True, log_lines=_LOG_LINES),
    Detail(remarks=1, ended_phases=True, ended_steps=True, log_lines=_LOG_LINES),
    Detail(remarks=0, ended_phases=True, ended_steps=True, log_lines=3),
    Detail(remarks=0, ended_phases=False, ended_steps=True, log_lines=3),
    Detail(remarks=0, ended_phases=False, ended_steps=False, log_lines=2),
)


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide the names and the providers are, in cells: as wide as they need, if there is room."""

    label: int
    provider: int

    @classmethod
    def of(cls, steps: Sequence[StepView], width: int) -> Columns:
        """The columns that suit these steps."""
        provider = max((cell_len(phrases.answered_by(step)) for step in steps), default=0)
        provider = min(provider, _WIDEST_PROVIDER, width // 4)
        label = max((cell_len(_name(step)) for step in steps), default=0)
        return cls(min(label, max(12, width - provider - _FIGURES - _REMARK)), provider)


@dataclass(frozen=True, slots=True)
class Frame:
    """Draws a view `width` cells wide and at most `height` lines high, as of `now` (seconds since the epoch)."""

    view: RunView
    now: float
    width: int
    height: int
    signs: Mapping[StepState, Glyph]

    def lines(self) -> list[Text]:
        """The lines, each at most `width` cells wide."""
        detail = next((detail for detail in _DETAILS if self._size(detail) <= self.height), _DETAILS[-1])
        rows = list(self._rows(detail))
        columns = Columns.of([row for row in rows if isinstance(row, StepView)], self.width)
        lines = [self._header()]
        for row in rows:
            lines += self._drawn(row, columns, detail) if isinstance(row, StepView) else [row]
        lines += [*self._log(detail), *self._progress()]
        return [self._cut(line) for line in self._crop(lines)]

    def _size(self, detail: Detail) -> int:
        """How many lines there would be, counted and not drawn."""
        lines = 2 + min(detail.log_lines, len(self.view.log))
        for phase in self.view.phases.values():
            lines += 1 if phase.title else 0
            lines += _shown(phase, detail)
        return lines

    def _crop(self, lines: list[Text]) -> list[Text]:
        """The lines that fit: the head and the progress line stay, the newest in between stay."""
        room = max(2, self.height)
        if len(lines) <= room:
            return lines
        return [lines[0], *lines[len(lines) - room + 1 :]]

    def _header(self) -> Text:
        view = self.view
        line = Text.assemble((clean_line(view.workflow), "bold"), "  ", (clean_line(view.run_id), "dim"))
        if view.parent:
            line.append(f"  resumes {clean_line(view.parent)}", "dim")
        return line

    def _progress(self) -> Iterator[Text]:
        """Only while the run goes on: afterwards the command's last line says the same and more."""
        if self.view.status == "running":
            yield Text(phrases.progress(self.view, self.now, self.width - 1), "bold")

    def _rows(self, detail: Detail) -> Iterator[Text | StepView]:
        lacking = max(0, self._size(detail) - self.height)
        room = _open_steps(self.view) - lacking - (1 if lacking else 0)
        for phase in self.view.phases.values():
            if phase.title:
                yield self._phase(phase)
            yield from self._steps(phase, detail, room)

    def _phase(self, phase: PhaseView) -> Text:
        waiting = phase.started_at is None
        line = Text(clean_line(phase.title), "dim" if waiting else "bold")
        said = phrases.phase_tally(phase, died=self.view.status == "interrupted")
        return line.append(f"  {said}", "dim not bold") if said else line

    def _steps(self, phase: PhaseView, detail: Detail, room: int) -> Iterator[Text | StepView]:
        steps = self.view.steps
        if not phase.open and not detail.ended_phases:
            yield from (steps[number] for number in phase.lost[:_LOST])
        elif detail.ended_steps:
            yield from (steps[number] for number in phase.steps)
        else:
            most = max(1, room)
            yield from (steps[number] for number in phase.lost[:_LOST])
            yield from (steps[number] for number in islice(phase.open, most))
            if len(phase.open) > most:
                yield Text(f"    … {count(len(phase.open) - most, 'more step')}", "dim")

    def _drawn(self, step: StepView, columns: Columns, detail: Detail) -> Iterator[Text]:
        said = phrases.remark(step)
        line = self._step(step, columns, said)
        # Why there is no answer is read to its end, where there is room; what was reused needs no more than its sign.
        too_long = step.state in ("failed", "skipped") and line.cell_len >= self.width
        if detail.remarks and (step.progress or too_long):
            yield self._step(step, columns, "")
            for part in _folded(said, self.width - 7, detail.remarks if too_long else 1):
                yield Text(f"      {part}", _REMARK_STYLES.get(step.state, "dim"))
        else:
            yield line

    def _step(self, step: StepView, columns: Columns, said: str) -> Text:
        glyph = self.signs[step.state]
        line = Text("  ").append(f"{glyph.sign} ", glyph.style)
        line.append_text(_cell(_name(step), columns.label)).append(" ")
        line.append_text(_cell(phrases.answered_by(step), columns.provider, "dim"))
        if step.state != "reused":
            line.append(f" {duration(phrases.seconds(step, self.now)):>7} {phrases.tokens(step):>6}")
        return line.append(f"  {said}", _REMARK_STYLES.get(step.state, "dim")) if said else line

    def _log(self, detail: Detail) -> Iterator[Text]:
        for line in self.view.log[len(self.view.log) - min(detail.log_lines, len(self.view.log)) :]:
            style = "yellow" if line.level == "warning" else "dim"
            yield Text(f"> {phrases.log_text(line)}", style)

    def _cut(self, line: Text) -> Text:
        line.truncate(
            max(1, self.width - 1), overflow="ellipsis"
        )  # the last column would wrap in some terminals
        line.no_wrap = True
        return line


def _name(step: StepView) -> str:
    return clean_line(step.label or f"step {step.number}")


_REMARK_STYLES = {"failed": "red", "skipped": "yellow", "retrying": "yellow", "reused": "blue"}


def _shown(phase: PhaseView, detail: Detail) -> int:
    if not phase.open and not detail.ended_phases:
        return min(_LOST, len(phase.lost))
    if detail.ended_steps:
        below = phase.counts.running + detail.remarks * len(phase.lost) if detail.remarks else 0
        return len(phase.steps) + below
    return min(_LOST, len(phase.lost)) + len(phase.open)


def _open_steps(view: RunView) -> int:
    return max((len(phase.open) for phase in view.phases.values()), default=0)


def _folded(text: str, width: int, most: int) -> list[str]:
    """The text between its words, on at most so many lines; what is too long for the last one is cut later."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and len(lines) < most and cell_len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _cell(text: str, width: int, style: str = "") -> Text:
    cell = Text(clean_line(text), style)
    cell.truncate(width, overflow="ellipsis", pad=True)
    return cell
