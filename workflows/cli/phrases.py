"""What the views say of a step, a phase, a run: the words, without layout."""

from __future__ import annotations

from engine.record.step_view import Counts, StepView
from engine.record.view import LogLine, PhaseView, RunView
from engine.text import clean_line
from workflows.cli.figures import age, amount, count, duration, spending


def answered_by(step: StepView) -> str:
    """`claude (sonnet)`: the provider, or those that it waits for, and the model."""
    name = step.provider or " + ".join(step.providers)
    return clean_line(f"{name} ({step.model})" if step.model else name)


def patches(number: int) -> str:
    """`1 patch`, `2 patches`."""
    return "1 patch" if number == 1 else f"{number:,} patches"


def seconds(step: StepView, now: float) -> float | None:
    """How long a step took, or has taken so far; None when it never began."""
    if step.ended or step.started_at is None:
        return step.seconds if step.started_at is not None else None
    return max(0.0, now - step.started_at)


def reuse(step: StepView) -> str:
    """`reused from 20261121-110457-3f9a (3h ago)`."""
    since = f" ({age(step.age)})" if step.age is not None else ""
    return f"reused from {clean_line(step.from_run or 'an earlier run')}{since}"


def remark(step: StepView) -> str:
    """What else is to be said of a step now: what it is doing, why it has no answer, where that came from."""
    if step.state == "reused":
        return reuse(step)
    if step.state == "cancelled":
        return "cancelled"
    if step.state in ("failed", "skipped", "retrying"):
        return clean_line(": ".join(part for part in (step.reason, step.message) if part))
    return clean_line(step.progress)


def tokens(step: StepView) -> str:
    """The tokens of an ended step; nothing while it runs."""
    return amount(step.usage.tokens) if step.state == "finished" else ""


def tally(counts: Counts, *, died: bool = False) -> list[str]:
    """`5 reused`, `1 failed`, `3 running`: the states worth a word, the least urgent first.

    What still ran when its run died does so no longer.
    """
    named = [
        (counts.reused, "reused"),
        (counts.skipped, "skipped"),
        (counts.cancelled, "cancelled"),
        (counts.failed, "failed"),
        (counts.running + counts.retrying, "interrupted" if died else "running"),
    ]
    return [f"{number:,} {name}" for number, name in named if number]


def phase_tally(phase: PhaseView, *, died: bool = False) -> str:
    """`3 steps · 2 reused`; nothing for a phase that has none."""
    if not phase.steps:
        return ""
    return " · ".join([count(len(phase.steps), "step"), *tally(phase.counts, died=died)])


def elapsed(view: RunView, now: float) -> float | None:
    """How long the run took, or has taken so far; up to its last event when its driver died."""
    if view.seconds is not None or view.started_at is None:
        return view.seconds
    until = view.seen_at if view.status == "interrupted" and view.seen_at is not None else now
    return max(0.0, until - view.started_at)


def progress(view: RunView, now: float, width: int | None = None) -> str:
    """`12 of 40 steps · 5 reused · 3 running · 1m 20s · 120k tokens · $0.42`; counts go first where it is narrow."""
    counts = view.counts
    steps = count(counts.total, "step")
    done = f"{counts.ended:,} of {steps}" if counts.ended < counts.total else steps
    states = tally(counts, died=view.status == "interrupted")
    figures = [duration(elapsed(view, now)), spending(view.usage, view.unmeasured)]
    line = " · ".join([done, *states, *figures])
    while states and width is not None and len(line) > width:
        states.pop(0)
        line = " · ".join([done, *states, *figures])
    return line


def log_text(line: LogLine) -> str:
    """A log line with its fields."""
    fields = " ".join(
        f"{clean_line(name, 40)}={clean_line(str(value), 80)}" for name, value in line.fields.items()
    )
    return " ".join(part for part in (clean_line(line.message, 500), fields) if part)
