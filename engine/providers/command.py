"""Any command-line program as a provider, described in `[providers.NAME]` of the user's settings."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import from_json

from engine.errors import StepFailed, UsageError
from engine.json_value import is_list, is_object
from engine.process import Command, Exit, child_environment, run_child
from engine.providers.base import Progress, ProviderContext, Question, Readiness, Report
from engine.providers.ending import check_not_cut
from engine.providers.raw import RawOutput
from engine.schema import instruction
from engine.step import Access, Answer, Usage

DottedPath = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
PROMPT, PROMPT_FILE, MODEL, WORKSPACE = "{prompt}", "{prompt_file}", "{model}", "{workspace}"
_MOST = 10**15
"""More tokens or dollars than this nobody has spent."""
_VARIABLE = re.compile(r"\{(?:prompt|prompt_file|model|workspace)\}")


class UsagePaths(BaseModel):
    """Where in the program's JSON its usage stands, as dotted paths such as `usage.input`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_tokens: DottedPath | None = None
    cached_tokens: DottedPath | None = None
    output_tokens: DottedPath | None = None
    reasoning_tokens: DottedPath | None = None
    cost: DottedPath | None = None


class CommandOptions(BaseModel):
    """One `[providers.NAME]` table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: list[str] = Field(min_length=1)
    """Program and arguments; `{prompt}`, `{prompt_file}`, `{model}` and `{workspace}` stand for values, in whole or
    in part of an argument. Without `{prompt}` and `{prompt_file}` the prompt goes in on standard input."""
    output: Literal["text", "json", "jsonl"] = "text"
    answer: DottedPath | None = None
    """Dotted path to the answer in JSON output; of JSON lines the last that has it counts."""
    usage: UsagePaths = UsagePaths()
    environment: list[str] = []
    """Names of further variables that the program may see."""
    access: list[Access] = ["read"]
    """What the user vouches that the program keeps to."""
    capabilities: list[str] = ["text"]
    model: str = ""
    """What `{model}` stands for when a step names none."""


class CommandProvider:
    """Runs a program for every question; its exit code and its answer decide together whether that went well."""

    note = ""

    def __init__(self, context: ProviderContext, options: CommandOptions) -> None:
        self.name = context.name
        self.capabilities = frozenset(options.capabilities)
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
        prompt = (
            question.prompt if question.schema is None else question.prompt + instruction(question.schema)
        )
        with (
            self._command(question, prompt) as command,
            _Output(self._options, report, question.raw) as output,
        ):
            ended = await self._run(command, question, output)
            self._judge(ended, question)
            return self._answer(output, question, ended)

    @contextmanager
    def _command(self, question: Question, prompt: str) -> Generator[Command]:
        template = self._options.command[1:]
        if self._program is None:
            raise StepFailed(
                "not_found", f"{self._options.command[0]} is not on the PATH", provider=self.name
            )
        values = {
            PROMPT: prompt,
            MODEL: question.model or self._options.model,
            WORKSPACE: str(question.workspace),
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

    async def _run(self, command: Command, question: Question, output: _Output) -> Exit:
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

    def _answer(self, output: _Output, question: Question, ended: Exit) -> Answer:
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


class _Output:
    """What the program printed, and what of it is the answer. Kept in a file where it says more than the answer."""

    def __init__(self, options: CommandOptions, report: Report, path: Path | None) -> None:
        self._options = options
        self._report = report
        self._raw = RawOutput(path)
        self._lines: list[bytes] = []
        self._value: Any = None
        self._usage = Usage()

    def __enter__(self) -> _Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Text that became the answer is kept as the answer; of a failure this file is all that is left.
        if kind is not None and self._options.output == "text":
            for line in self._lines:
                self._raw.write(line)
        self._raw.__exit__(kind, error, trace)

    def take(self, line: bytes) -> None:
        """One line came."""
        if self._options.output != "text":
            self._raw.write(line)
        if self._options.output == "jsonl":
            self._take_json(line)
        else:
            self._lines.append(line)
        self._report(Progress("text", line[:300].decode(errors="replace")))

    def _take_json(self, line: bytes) -> None:
        try:
            event = from_json(line)
        except ValueError:
            return  # programs mix notices into their events
        self._pick(event)

    def _pick(self, document: Any) -> None:
        found = document if self._options.answer is None else _at(document, self._options.answer)
        self._value = self._value if found is None else found
        given = {name: _at(document, path) for name, path in self._options.usage.model_dump().items() if path}
        numbers = {name: _measured(name, value) for name, value in given.items()}
        numbers = {name: value for name, value in numbers.items() if value is not None}
        self._usage = Usage(**numbers) if numbers else self._usage

    def result(self) -> tuple[Any, Usage]:
        """The answer, None when there is none, and what it cost."""
        if self._options.output == "text":
            return b"\n".join(self._lines).decode(errors="replace").strip(), Usage()
        if self._options.output == "json":
            try:
                self._pick(from_json(b"\n".join(self._lines)))
            except ValueError as error:
                raise StepFailed("bad_output", f"its output is not JSON: {error}") from None
        return self._value, self._usage


def _measured(name: str, value: Any) -> Any:
    """A number of tokens or dollars as the program says it; None for what cannot be one, which measured nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MOST:
        return None
    if name == "cost":
        return float(value)
    return int(value) if value == int(value) else None


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        if is_object(document) and name in document:
            document = document[name]
        elif is_list(document) and name.lstrip("-").isdigit() and -len(document) <= int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def build(context: ProviderContext) -> CommandProvider:
    """A provider from a `[providers.NAME]` table. UsageError when the table is wrong."""
    try:
        options = CommandOptions(**context.options)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"[providers.{context.name}] is wrong",
            where=place,
            why=first["msg"],
            hint='write for example command = ["aider", "--message-file", "{prompt_file}"]',
        ) from None
    return CommandProvider(context, options)
