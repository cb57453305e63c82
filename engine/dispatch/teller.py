"""What the record hears of a step: that it was queued, and the one way in which it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.dispatch.budget import spent_by
from engine.dispatch.needs import Answerer
from engine.dispatch.ticket import Ticket
from engine.dispatch.wording import EXCERPT, excerpt, message
from engine.errors import CeilingReached, StepFailed
from engine.record.events import Changes, Logged, StepFinished, StepQueued, StepReused, Tokens
from engine.record.events import StepFailed as StepFailedEvent
from engine.record.stream import Stream
from engine.step import Answer, Step

if TYPE_CHECKING:
    from engine.store.kept import KeptAnswer


class Teller:
    """Tells the stream of a run; what there is to say of a provider's answers comes from who answers."""

    def __init__(self, stream: Stream, answerer: Answerer) -> None:
        self._stream = stream
        self._answerer = answerer

    def queued(self, ticket: Ticket) -> None:
        """A step was let in; what follows at once, or `flush`, is written with it."""
        step, key = ticket.step, ticket.key
        self._stream.emit(
            StepQueued,
            step=ticket.number,
            label=step.label,
            phase=step.phase,
            prompt=step.prompt[:EXCERPT],
            key=key.digest,
            occurrence=key.parts["occurrence"],
            providers=[choice.name for choice in step.providers],
            in_place=(step.on_resume or "ask") if step.writes_in_place else None,
            more=True,
        )

    def flush(self) -> None:
        """Nothing follows at once after all."""
        self._stream.flush()

    def unsent(self, number: int, label: str, phase: str, prompt: str, failure: StepFailed) -> None:
        """A step could not even be sent."""
        self._stream.emit(StepQueued, step=number, label=label, phase=phase, prompt=prompt[:EXCERPT], key="")
        self._stream.emit(
            StepFailedEvent,
            step=number,
            reason=failure.reason,
            message=message(failure),
            provider=failure.provider,
        )

    def waits(self, step: Step) -> None:
        """Another process is at work at the same step."""
        said = f"{step.label!r} is being asked by another run: waiting for its answer"
        self._stream.emit(Logged, message=said, source="mco")

    def reused(self, ticket: Ticket, kept: KeptAnswer, answer: Answer, age: float) -> None:
        """Its answer was there."""
        self._stream.emit(
            StepReused,
            step=ticket.number,
            provider=answer.provider,
            model=answer.model,
            from_run=kept.run,
            age=age,
            saved=Tokens.of(answer.usage),
            saved_seconds=answer.seconds or None,
            answer=excerpt(answer),
            note=self._answerer.note(ticket.step),
            patch=Changes.of(answer.patches),
        )

    def finished(self, ticket: Ticket, answer: Answer) -> None:
        """It has its answer."""
        self._stream.emit(
            StepFinished,
            step=ticket.number,
            provider=answer.provider,
            model=answer.model,
            seconds=answer.seconds,
            usage=Tokens.of(answer.usage),
            answer=excerpt(answer),
            session_id=answer.session_id,
            note=self._answerer.note(ticket.step),
            patch=Changes.of(answer.patches),
        )

    def failed(self, ticket: Ticket, failure: StepFailed | CeilingReached, seconds: float) -> None:
        """It has none."""
        self._stream.emit(
            StepFailedEvent,
            step=ticket.number,
            reason=failure.reason if isinstance(failure, StepFailed) else failure.kind,
            message=message(failure),
            provider=failure.provider if isinstance(failure, StepFailed) else None,
            seconds=seconds,
            usage=Tokens.of(spent_by(failure)),
        )
