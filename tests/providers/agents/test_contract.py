"""What every provider promises, kept by the coding agents: each with a program that prints what was recorded."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence

import pytest

from engine.providers.base import ProviderContext
from engine.step import Answer
from engine.testing.provider_contract import ProviderContract
from engine.testing.provider_rig import Place, ProviderRig, Scene
from tests.providers.agents.recorded import RECORDINGS, Recording
from tests.providers.fifo import fifo

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts")
LONG = "x" * 65_000


class RecordedRig(ProviderRig):
    """A shell script in the program's place, which reads its prompt and prints lines."""

    failures = {"it crashes": "crashed", "it ends in the middle": "crashed", "it is not there": "not_found"}

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def program(self, place: Place, lines: Sequence[str], then: str = "") -> Scene:
        recording = self.recording
        folder = place.folder / "bin"
        folder.mkdir()
        (folder / "lines").write_text("".join(f"{line}\n" for line in lines))
        program = folder / recording.name
        beginning = f"#!/bin/sh\ncat > /dev/null\ncat {shlex.quote(str(folder / 'lines'))}\n"
        program.write_text(f"{beginning}{then}\n")
        program.chmod(0o755)
        return self.scene(place, os.pathsep.join([str(folder), os.environ["PATH"]]))

    def scene(self, place: Place, path: str) -> Scene:
        environment = {"PATH": path, "HOME": str(place.folder), **self.recording.signed_in}
        context = ProviderContext(self.recording.name, place.workspace, place.folder, environment=environment)
        return Scene(self.recording.build(context), place.question(stall_timeout=30.0))

    def answers(self, place: Place, text: str) -> Scene:
        return self.program(place, self.recording.whole(text))

    def finishes(self, place: Place) -> Scene:
        def check(answer: Answer) -> None:
            assert answer.value == "all is well"
            assert answer.usage == self.recording.usage
            assert list(place.workspace.iterdir()) == []

        # Another process, another session: those of one recording are all the same.
        mine = [line.replace('"s-1"', '"$$"').replace('"t-1"', '"$$"').replace("ses_1", "$$")
                for line in self.recording.whole("all is well")]  # fmt: skip
        spoken = "".join(f"echo {json.dumps(line)}\n" for line in mine)
        return self.program(place, [], spoken)._replace(check=check)

    def fails(self, place: Place, failure: str) -> Scene:
        match failure:
            case "it crashes":
                return self.program(place, [], "echo boom >&2; exit 70")
            case "it ends in the middle":
                return self.program(place, self.recording.whole("half")[:-1])
            case _:
                return self.unready(place)

    def hangs(self, place: Place) -> Scene:
        scene = self.program(place, self.recording.whole("half")[:-1], "sleep 300")
        return scene._replace(question=scene.question._replace(stall_timeout=0.2))

    def works(self, place: Place) -> Scene:
        path, at_work = fifo(place.folder)
        scene = self.program(place, [], f"setsid sleep 300 & echo > {shlex.quote(str(path))}; sleep 300")
        return scene._replace(at_work=at_work)

    def floods(self, place: Place, size: int) -> Scene:
        (place.folder / "noise").write_text(json.dumps(self.recording.says(LONG)))
        noise = shlex.quote(str(place.folder / "noise"))
        return self.program(place, [], f'yes "$(cat {noise})" | head -c {size}')

    def unready(self, place: Place) -> Scene:
        return self.scene(place, str(place.folder))


class TestClaude(ProviderContract):
    rig = RecordedRig(RECORDINGS["claude"])


class TestCodex(ProviderContract):
    rig = RecordedRig(RECORDINGS["codex"])


class TestGemini(ProviderContract):
    rig = RecordedRig(RECORDINGS["gemini"])


class TestOpenCode(ProviderContract):
    rig = RecordedRig(RECORDINGS["opencode"])


class TestQwen(ProviderContract):
    rig = RecordedRig(RECORDINGS["qwen"])
