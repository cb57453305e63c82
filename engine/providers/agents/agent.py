"""Runs a coding-agent CLI for one question: what is the same for all of them, whatever their dialect."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from engine.errors import StepFailed
from engine.json_value import is_object
from engine.process import Command, Exit, child_environment, run_child
from engine.providers.agents.dialect import Dialect, Hearing, Invocation
from engine.providers.agents.installation import version_remark
from engine.providers.agents.options import AgentOptions, read_options
from engine.providers.base import Progress, ProviderContext, Question, Readiness, Report
from engine.providers.ending import check_not_cut
from engine.providers.raw import RawOutput
from engine.schema import instruction
from engine.step import Answer

_NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy"),
    *("no_proxy", "NODE_EXTRA_CA_CERTS"),
)
"""How the user's network is left, which every one of these programs has to know."""


class CodingAgent:
    """A coding-agent CLI as a provider. A version newer than those it was tried with works, and says so."""

    note = ""

    def __init__(self, context: ProviderContext, dialect: Dialect) -> None:
        self.name = context.name
        self.capabilities = dialect.capabilities
        self._dialect = dialect
        self._options: AgentOptions = read_options(context.name, context.options)
        self.access = dialect.access
        """What it may be asked with: what it can be held to, less what the user's settings leave out."""
        if self._options.access is not None:
            self.access = self.access & frozenset(self._options.access)
        wanted = (*_NETWORK, *dialect.variables, *self._options.environment)
        self._environment: Mapping[str, str] = child_environment(context.environment, wanted)
        self._title = self._options.program or dialect.name
        self._program = shutil.which(self._title, path=self._environment.get("PATH"))

    def readiness(self) -> Readiness:
        """Ready when the program is there and, as far as its files and variables tell, signed in."""
        if self._program is None:
            return Readiness(False, f"{self._title} is not on the PATH", f"install {self._dialect.name}")
        version = self._dialect.version(Path(self._program).resolve())
        sign_in = self._dialect.sign_in(self._environment)
        if sign_in.known is False:
            return Readiness(False, "it is not signed in", sign_in.how, version)
        remarks = [version_remark(version, self._dialect.known)]
        if sign_in.known is None:
            remarks.append(f"whether it is signed in shows when it is asked; if not: {sign_in.how}")
        return Readiness(True, version=version, remark="; ".join(filter(None, remarks)))

    async def ask(self, question: Question, report: Report) -> Answer:
        """Run the program once."""
        program = self._checked(question)
        question = question._replace(
            model=question.model or self._options.model, effort=question.effort or self._options.effort
        )
        with tempfile.TemporaryDirectory(prefix="mco-") as scratch, RawOutput(question.raw) as raw:
            invocation = self._dialect.invocation(question, self._prompt(question), Path(scratch))
            hearing = self._dialect.hearing(question)
            tools = _ToolCalls(question.max_tool_calls)

            def take(line: bytes) -> None:
                raw.write(line)
                for progress in hearing.line(_event(line)):
                    report(progress)
                    tools.count(progress)

            ended = await self._run(program, invocation, question, take)
            check_not_cut(ended, question, self.name)
            return self._whole(hearing, ended, question)

    def _checked(self, question: Question) -> str:
        """The program, if it may be asked this."""
        if self._program is None:
            raise StepFailed("not_found", f"{self._title} is not on the PATH", provider=self.name)
        if question.access not in self.access:
            raise StepFailed(
                "unsupported",
                f"{self.name} cannot be asked with {question.access!r} access",
                provider=self.name,
                hint=f"it takes: {', '.join(sorted(self.access))}",
            )
        return self._program

    def _prompt(self, question: Question) -> str:
        if question.schema is None or self._dialect.own_schema:
            return question.prompt
        return question.prompt + instruction(question.schema)

    async def _run(self, program: str, invocation: Invocation, question: Question, take: Any) -> Exit:
        command = Command(
            arguments=(program, *self._options.arguments, *invocation.arguments),
            folder=question.workspace,
            environment={**self._environment, **invocation.environment},
            input=invocation.input,
        )
        try:
            return await run_child(
                command, take, timeout=question.timeout, stall_timeout=question.stall_timeout
            )
        except OSError as error:
            raise StepFailed(
                "crashed", f"{self.name} could not be started: {error.strerror}", provider=self.name
            ) from None

    def _whole(self, hearing: Hearing, ended: Exit, question: Question) -> Answer:
        try:
            answer = hearing.answer(ended)
        except StepFailed as failure:
            failure.provider = self.name
            raise
        return answer._replace(
            provider=self.name, model=answer.model or question.model, seconds=ended.seconds
        )


class _ToolCalls:
    """Holds a run to its number of tool calls. What it raises ends the program, with everything it started."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._made = 0

    def count(self, progress: Progress) -> None:
        """Hear of some work. StepFailed (`refused`) when it is one tool call too many."""
        self._made += progress.what == "tool"
        if self._most is not None and self._made > self._most:
            raise StepFailed("refused", f"it wanted more than {self._most} tool calls")


def _event(line: bytes) -> Mapping[str, Any]:
    """A line of output as JSON. Programs mix notices into their events: those are empty events."""
    try:
        event = from_json(line)
    except ValueError:
        return {}
    return event if is_object(event) else {}
