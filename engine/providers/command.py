"""Any command-line program as a provider, described in `[providers.NAME]` of the user's settings."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path

from engine.errors import StepFailed
from engine.process import Command, Exit, child_environment, run_child
from engine.providers.base import ProviderContext, Question, Readiness, Report
from engine.providers.command_options import CommandOptions
from engine.providers.command_output import CommandOutput
from engine.providers.ending import check_not_cut
from engine.providers.table import read_table
from engine.schema import instruction
from engine.step import Answer

PROMPT, PROMPT_FILE, WORKSPACE = "{prompt}", "{prompt_file}", "{workspace}"
WISHES = ("model", "effort", "agent_type", "max_tool_calls")
"""Options of a step that stand in the command as variables of the same name, or cannot be asked for."""
_VARIABLE = re.compile(r"\{(?:prompt|prompt_file|workspace|model|effort|agent_type|max_tool_calls)\}")


class CommandProvider:
    """Runs a program for every question; its exit code and its answer decide together whether that went well."""

    note = ""

    def __init__(self, context: ProviderContext, options: CommandOptions) -> None:
        self.name = context.name
        self.capabilities = frozenset(options.capabilities)
        self.access = frozenset(options.access)
        self._options = options
        self._environment = child_environment(context.environment, tuple(options.environment))
        self._program = shutil.which(options.command[0], path=self._environment.get("PATH"))

    def readiness(self) -> Readiness:
        """Ready when the program is on the PATH."""
        program = self._options.command[0]
        if self._program is None:
            return Readiness(
                False, f"{program} is not on the PATH", f"install {program}, or correct `command`"
            )
        return Readiness(True)

    async def ask(self, question: Question, report: Report) -> Answer:
        """Run the program once."""
        if question.access not in self._options.access:
            raise StepFailed(
                "unsupported",
                f"{self.name} is not trusted with {question.access!r} access",
                provider=self.name,
                hint=f"add {question.access!r} to `access` in [providers.{self.name}] if it keeps to that",
            )
        self._check_wishes(question)
        prompt = (
            question.prompt if question.schema is None else question.prompt + instruction(question.schema)
        )
        with (
            self._command(question, prompt) as command,
            CommandOutput(self._options, report, question.raw) as output,
        ):
            ended = await self._run(command, question, output)
            self._judge(ended, question)
            return self._answer(output, question, ended)

    def _check_wishes(self, question: Question) -> None:
        """StepFailed (`unsupported`) when the program would never hear of something that the step asks for."""
        for name in WISHES:
            variable = f"{{{name}}}"
            asked = getattr(question, name) is not None
            if asked and not any(variable in argument for argument in self._options.command):
                raise StepFailed(
                    "unsupported",
                    f"{self.name} cannot be told the option {name!r} of a step",
                    provider=self.name,
                    hint=f"put {variable} into its `command` in [providers.{self.name}], or leave the option out",
                )

    @contextmanager
    def _command(self, question: Question, prompt: str) -> Generator[Command]:
        template = self._options.command[1:]
        if self._program is None:
            raise StepFailed(
                "not_found", f"{self._options.command[0]} is not on the PATH", provider=self.name
            )
        values = {
            PROMPT: prompt,
            WORKSPACE: str(question.workspace),
            "{model}": question.model or self._options.model,
            "{effort}": question.effort or self._options.effort,
            "{agent_type}": question.agent_type or "",
            "{max_tool_calls}": "" if question.max_tool_calls is None else str(question.max_tool_calls),
        }
        in_file = any(PROMPT_FILE in argument for argument in template)
        with _prompt_file(prompt) if in_file else nullcontext("") as path:
            filled = {**values, PROMPT_FILE: path}
            yield Command(
                arguments=(self._program, *(_filled(argument, filled) for argument in template)),
                folder=question.workspace,
                environment=self._environment,
                input=b"" if in_file or any(PROMPT in argument for argument in template) else prompt.encode(),
            )

    async def _run(self, command: Command, question: Question, output: CommandOutput) -> Exit:
        try:
            return await run_child(
                command, output.take, timeout=question.timeout, stall_timeout=question.stall_timeout
            )
        except OSError as error:
            raise StepFailed(
                "crashed", f"{self.name} could not be started: {error.strerror}", provider=self.name
            ) from None

    def _judge(self, ended: Exit, question: Question) -> None:
        check_not_cut(ended, question, self.name)
        if ended.code != 0:
            said = f": {ended.errors[-500:]}" if ended.errors else ""
            raise StepFailed(
                "crashed", f"{self.name} ended with exit code {ended.code}{said}", provider=self.name
            )

    def _answer(self, output: CommandOutput, question: Question, ended: Exit) -> Answer:
        value, usage = output.result()
        if value is None or (isinstance(value, str) and not value.strip()):
            raise StepFailed("bad_output", f"{self.name} answered nothing", provider=self.name)
        model = question.model or self._options.model or None
        return Answer(value=value, usage=usage, provider=self.name, model=model, seconds=ended.seconds)


@contextmanager
def _prompt_file(prompt: str) -> Generator[str]:
    # In a folder of its own: on Windows a file that is open here could not be read there.
    with tempfile.TemporaryDirectory(prefix="mco-") as folder:
        file = Path(folder) / "prompt.md"
        file.write_text(prompt, encoding="utf-8")
        yield str(file)


def _filled(argument: str, values: Mapping[str, str]) -> str:
    # One pass over the template: what a prompt says is never read as a variable.
    return _VARIABLE.sub(lambda match: values.get(match[0], match[0]), argument)


def build(context: ProviderContext) -> CommandProvider:
    """A provider from a `[providers.NAME]` table. UsageError when the table is wrong."""
    example = (
        None if "command" in context.options else 'command = ["aider", "--message-file", "{prompt_file}"]'
    )
    hint = example and f"write for example {example}"
    return CommandProvider(context, read_table(CommandOptions, context.name, context.options, hint))
