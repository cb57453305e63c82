"""What every provider promises, kept by those that are neither a coding agent nor a service."""

from __future__ import annotations

import os
import sys
from typing import Any, get_args
from unittest.mock import patch

import anyio
import pytest

from engine.errors import Reason, StepFailed
from engine.providers.base import ProviderContext, Question
from engine.providers.builtin import build as build_builtin
from engine.providers.command import build as build_command
from engine.providers.fake import FakeProvider
from engine.testing.provider_contract import ProviderContract
from engine.testing.provider_rig import Place, ProviderRig, Scene
from tests.providers.fifo import fifo

LINE = "x" * 65_535


class FakeRig(ProviderRig):
    """Everything by a function."""

    failures = {reason: reason for reason in get_args(Reason)}
    without = {
        "unready": "it needs nothing",
        "floods": "nobody speaks to it",
    }

    def answers(self, place: Place, text: str) -> Scene:
        return Scene(FakeProvider(lambda question: text), place.question())

    def fails(self, place: Place, failure: Any) -> Scene:
        def reply(question: Question) -> Any:
            raise StepFailed(failure, "on purpose")

        return Scene(FakeProvider(reply), place.question())

    def hangs(self, place: Place) -> Scene:
        asked = anyio.Event()

        async def reply(question: Question) -> str:
            asked.set()
            await anyio.sleep_forever()
            return "never"

        return Scene(FakeProvider(reply), place.question(stall_timeout=0.05), asked.wait)


class TestFake(ProviderContract):
    rig = FakeRig()


class CommandRig(ProviderRig):
    """Everything by a shell."""

    failures = {"an exit code": "crashed", "a program that is not there": "not_found", "a line": "bad_output"}

    def shell(self, place: Place, script: str, **options: Any) -> Scene:
        return self.program(place, "/bin/sh", "-c", script, **options)

    def program(self, place: Place, *command: str, **options: Any) -> Scene:
        table = {"command": list(command), **options}
        environment = {"PATH": os.environ["PATH"]}
        context = ProviderContext("tool", place.workspace, place.folder, table, environment)
        return Scene(build_command(context), place.question(stall_timeout=30.0))

    def answers(self, place: Place, text: str) -> Scene:
        return self.shell(place, f"cat > /dev/null; printf %s '{text}'")

    def fails(self, place: Place, failure: str) -> Scene:
        match failure:
            case "an exit code":
                return self.shell(place, "exit 3")
            case "a program that is not there":
                return self.unready(place)
            case _:
                return self.shell(place, "echo {", output="json")

    def hangs(self, place: Place) -> Scene:
        return self.shell(place, "sleep 300")._replace(question=place.question(stall_timeout=0.1))

    def works(self, place: Place) -> Scene:
        path, at_work = fifo(place.folder)
        scene = self.shell(place, f"setsid sleep 300 & sleep 300 & echo > {path}; sleep 300")
        return scene._replace(at_work=at_work)

    def floods(self, place: Place, size: int) -> Scene:
        return self.shell(place, f"yes {LINE} | head -c {size}")

    def unready(self, place: Place) -> Scene:
        return self.program(place, "no-such-program-anywhere")


class CommandLinesRig(CommandRig):
    """Lines of JSON, of which none is held but the last answer."""

    failures = {"an exit code": "crashed"}

    def shell(self, place: Place, script: str, **options: Any) -> Scene:
        return super().shell(place, script, output="jsonl", answer="text", **options)

    def answers(self, place: Place, text: str) -> Scene:
        return self.shell(place, f"cat > /dev/null; printf '%s\\n' '{{\"text\": \"{text}\"}}'")

    def floods(self, place: Place, size: int) -> Scene:
        return self.shell(place, f'yes \'{{"text": "{LINE}"}}\' | head -c {size}')


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
class TestCommand(ProviderContract):
    rig = CommandRig()


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
class TestCommandLines(ProviderContract):
    rig = CommandLinesRig()


class BuiltinRig(ProviderRig):
    """A review, by the real ruff or by a program in its place."""

    failures = {"no Python": "unsupported", "a prompt": "unsupported", "ruff crashes": "crashed"}
    without = {
        "bad_json": "it writes its answers itself",
        "nothing": "it writes its answers itself",
        "unready": "all that it needs comes with mco",
    }

    def review(self, place: Place, **options: Any) -> Scene:
        context = ProviderContext(
            "builtin", place.workspace, place.folder, environment={"PATH": os.environ["PATH"]}
        )
        task = {"kind": "review", "aspect": "correctness", "target": "."}
        return Scene(build_builtin(context), place.question(task=task, stall_timeout=30.0, **options))

    def answers(self, place: Place, text: str) -> Scene:
        (place.workspace / "code.py").write_text("def f(seen=[]):\n    return seen\n")
        return self.review(place)

    def instead_of_ruff(self, place: Place, script: str) -> Scene:
        program = place.folder / "ruff"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        place.stack.enter_context(patch("engine.providers.builtin.ruff._program", lambda: str(program)))
        return self.review(place)

    def fails(self, place: Place, failure: str) -> Scene:
        match failure:
            case "no Python":
                return self.review(place)
            case "a prompt":
                scene = self.review(place)
                return scene._replace(question=scene.question._replace(task=None))
            case _:
                return self.instead_of_ruff(place, "exit 2")

    def hangs(self, place: Place) -> Scene:
        scene = self.instead_of_ruff(place, "sleep 300")
        return scene._replace(question=scene.question._replace(stall_timeout=0.1))

    def works(self, place: Place) -> Scene:
        path, at_work = fifo(place.folder)
        return self.instead_of_ruff(place, f"echo > {path}; sleep 300")._replace(at_work=at_work)

    def floods(self, place: Place, size: int) -> Scene:
        return self.instead_of_ruff(place, f"yes {LINE} | head -c {size}")


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
class TestBuiltin(ProviderContract):
    rig = BuiltinRig()
