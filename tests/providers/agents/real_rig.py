"""The scenes of a real program: whatever happens, happens at the model server that it asks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from engine.errors import Reason, StepFailed
from engine.providers.agents.agent import CodingAgent
from engine.providers.base import Progress, ProviderContext
from engine.step import Answer
from engine.testing.provider_rig import Place, ProviderRig, Scene
from tests.providers.agents.clis import Asker, left_behind, surroundings
from tests.providers.agents.model_server import ModelServer
from tests.providers.agents.wire_formats import Call, Reply, Tokens
from tests.providers.fifo import fifo

COMMAND = "echo > running; exec tail -f /dev/null"
"""A tool that says that it runs, and goes on."""


class RealRig(ProviderRig):
    """One of the programs. What it has recorded floods instead of it: no model says so much."""

    without = {"floods": "a model that says so much; what was recorded does it instead"}
    replies: ClassVar[Mapping[str, tuple[Reply, Reason]]]
    """The failures: what the model's service says, and the reason that it must have."""
    tool: ClassVar[Call]
    """Runs `COMMAND`."""
    tokens: ClassVar[Tokens]
    asked: ClassVar[Mapping[str, Any]] = {}
    """Further options of the question that all goes well with."""
    told_at_work: ClassVar[tuple[str, ...] | None] = None
    """The kinds of what it has told of its work when the tool runs, where that is certain by then."""
    silence: ClassVar[float] = 1.5
    """Seconds of a stall."""
    quick: ClassVar[bool] = False
    """Whether it has surely asked its model by then."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.failures = {name: reason for name, (_, reason) in cls.replies.items()}

    @abstractmethod
    def asker(self, server: ModelServer, place: Place) -> Asker:
        """The program, set up to ask that server."""

    @abstractmethod
    def check_answer(self, answer: Answer, server: ModelServer) -> None:
        """What the program reports of one question with `tokens` and `asked`."""

    def check_failure(self, name: str, failure: StepFailed) -> None:
        """What a failure says beside its reason."""

    def scene(self, place: Place, *replies: Reply, **asked: Any) -> tuple[Scene, ModelServer]:
        """The program asks a server that says this."""
        server = place.stack.enter_context(ModelServer(*replies))
        return Scene(self.asker(server, place).provider, place.question(**asked)), server

    def finishes(self, place: Place) -> Scene:
        scene, server = self.scene(place, Reply("hello there", tokens=self.tokens), **self.asked)

        def check(answer: Answer) -> None:
            assert answer.value == "hello there"
            assert answer.session_id
            assert len(server.requests) == 1
            assert list(place.workspace.iterdir()) == []
            self.check_answer(answer, server)

        return scene._replace(check=check)

    def answers(self, place: Place, text: str) -> Scene:
        return self.scene(place, Reply(text))[0]

    def nothing(self, place: Place) -> Scene:
        return super().nothing(place)._replace(check_failure=_is_bad_output)

    def fails(self, place: Place, failure: str) -> Scene:
        scene, _ = self.scene(place, self.replies[failure][0])
        return scene._replace(check_failure=lambda failed: self.check_failure(failure, failed))

    def hangs(self, place: Place) -> Scene:
        scene, server = self.scene(place, Reply(manner="hang"), stall_timeout=self.silence)
        return scene._replace(check_failure=_asked_once(server)) if self.quick else scene

    def works(self, place: Place) -> Scene:
        _, said = fifo(place.workspace)
        scene, _ = self.scene(place, Reply("", call=self.tool), access="full")
        progress: list[Progress] = []

        def check_told() -> None:
            if self.told_at_work is not None:
                assert tuple(one.what for one in progress) == self.told_at_work

        async def at_work() -> None:
            await said()
            assert len(left_behind()) >= 2
            place.stack.callback(check_told)  # what it told arrives meanwhile

        return scene._replace(at_work=at_work, report=progress.append)

    def signed_out(self, place: Place, build: Callable[[ProviderContext], CodingAgent], name: str) -> Scene:
        """The real program, with nothing to sign in with."""
        asker = Asker(build, name, place.workspace, surroundings())

        def check(failure: StepFailed) -> None:
            assert failure.reason == "auth"

        return Scene(asker.provider, place.question(), check_failure=check)

    def missing(self, place: Place, build: Callable[[ProviderContext], CodingAgent], name: str) -> Scene:
        """No such program on the PATH."""
        asker = Asker(build, name, place.workspace, {"PATH": str(place.folder)})
        return Scene(asker.provider, place.question())


def _is_bad_output(failure: StepFailed) -> None:
    assert failure.reason == "bad_output"


def _asked_once(server: ModelServer) -> Callable[[StepFailed], None]:
    def check(failure: StepFailed) -> None:
        assert len(server.requests) == 1

    return check
