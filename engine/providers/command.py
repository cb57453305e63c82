"""Any command-line program as a provider, described in `[providers.NAME]` of the user's settings."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import from_json

from engine.errors import StepFailed, StorageFailed, UsageError
from engine.json_value import is_list, is_object
from engine.process import Command, Exit, child_environment, run_child
from engine.providers.base import Progress, ProviderContext, Question, Readiness, Report
from engine.schema import instruction
from engine.step import Access, Answer, Usage

DottedPath = Annotated[str, StringConstraints(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
PROMPT, PROMPT_FILE, MODEL, WORKSPACE = "{prompt}", "{prompt_file}", "{model}", "{workspace}"
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

    def readiness(self) -> Readiness:
        """Ready when the program is on the PATH."""
        program = self._options.command[0]
        if self._program() is None:
            return Readiness(
                False, f"{program} is not on the PATH", f"install {program}, or correct `command`"
            )
        return Readiness(True)

    def _program(self) -> str | None:
        return shutil.which(self._options.command[0], path=self._environment.get("PATH"))

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
        with ExitStack() as open_files:
            command = open_files.enter_context(self._command(question, prompt))
            raw = _open_raw(question.raw)
            if raw is not None:
                open_files.enter_context(raw)
            output = _Output(self._options, report, raw)
            ended = await self._run(command, question, output)
        self._judge(ended, question)
        return self._answer(output, question, ended)

    @contextmanager
    def _command(self, question: Question, prompt: str) -> Generator[Command]:
        template = self._options.command[1:]
        program = self._program()
        if program is None:
            raise StepFailed(
                "not_found", f"{self._options.command[0]} is not on the PATH", provider=self.name
            )
        values = {
            PROMPT: prompt,
            MODEL: question.model or self._options.model,
            WORKSPACE: str(question.workspace),
        }
        with tempfile.TemporaryDirectory(prefix="mco-") as folder:
            if any(PROMPT_FILE in argument for argument in template):
                file = Path(folder) / "prompt.md"
                file.write_text(prompt, encoding="utf-8")
                values[PROMPT_FILE] = str(file)
            arguments = tuple(_filled(argument, values) for argument in template)
            named = any(name in argument for argument in template for name in (PROMPT, PROMPT_FILE))
            yield Command(
                arguments=(program, *arguments),
                folder=question.workspace,
                environment=self._environment,
                input=b"" if named else prompt.encode("utf-8", "surrogatepass"),
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
        if ended.cut == "timeout":
            raise StepFailed("timeout", f"no answer within {question.timeout:g} s", provider=self.name)
        if ended.cut == "stalled":
            raise StepFailed("stalled", f"silent for {question.stall_timeout:g} s", provider=self.name)
        if ended.cut == "line":
            raise StepFailed("bad_output", "one line of its output is longer than 64 MiB", provider=self.name)
        if ended.code != 0:
            said = f": {ended.errors[-500:]}" if ended.errors else ""
            raise StepFailed(
                "crashed", f"{self.name} ended with exit code {ended.code}{said}", provider=self.name
            )

    def _answer(self, output: _Output, question: Question, ended: Exit) -> Answer:
        value, usage = output.result()
        if value is None or (isinstance(value, str) and not value.strip()):
            raise StepFailed("bad_output", f"{self.name} answered nothing", provider=self.name)
        text = value if isinstance(value, str) else ""
        model = question.model or self._options.model or None
        return Answer(
            value=value, text=text, usage=usage, provider=self.name, model=model, seconds=ended.seconds
        )


def _filled(argument: str, values: Mapping[str, str]) -> str:
    # One pass over the template: what a prompt says is never read as a variable.
    return _VARIABLE.sub(lambda match: values.get(match[0], match[0]), argument)


def _open_raw(path: Path | None) -> BinaryIO | None:
    if path is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")
    except OSError as error:
        raise StorageFailed(
            "a program's output cannot be kept", where=str(path), why=error.strerror or str(error)
        ) from error


class _Output:
    """What the program printed, and what of it is the answer."""

    def __init__(self, options: CommandOptions, report: Report, raw: BinaryIO | None) -> None:
        self._options = options
        self._report = report
        self._raw = raw
        self._lines: list[bytes] = []
        self._value: Any = None
        self._usage = Usage()

    def take(self, line: bytes) -> None:
        if self._raw is not None:
            self._raw.write(line + b"\n")
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
        numbers: dict[str, Any] = {n: value for n, value in given.items() if isinstance(value, (int, float))}
        self._usage = Usage(**numbers) if numbers else self._usage

    def result(self) -> tuple[Any, Usage]:
        if self._options.output == "text":
            return b"\n".join(self._lines).decode(errors="replace").strip(), Usage()
        if self._options.output == "json":
            try:
                self._pick(from_json(b"\n".join(self._lines)))
            except ValueError as error:
                raise StepFailed("bad_output", f"its output is not JSON: {error}") from None
        return self._value, self._usage


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
