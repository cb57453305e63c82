"""Gemini CLI, run headless."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic_core import from_json

from engine.errors import Reason, StepFailed
from engine.json_value import is_object
from engine.process import Exit
from engine.providers.agents.agent import CodingAgent
from engine.providers.agents.dialect import Invocation, SignIn
from engine.providers.agents.doings import noting, saying, using
from engine.providers.agents.event import Event, count_of, part_of, text_of
from engine.providers.agents.failures import crash, failure
from engine.providers.agents.gemini_policy import write_policies
from engine.providers.agents.installation import installed_version
from engine.providers.agents.prompt import inert
from engine.providers.agents.said import Said
from engine.providers.base import Progress, ProviderContext, Question
from engine.step import Access, Answer, Usage

_LARGEST_INPUT = 8 * 1024 * 1024
"""It reads no more of its standard input than this, and goes on with the part that it read."""
_HOW = "run `gemini` once and log in, or set GEMINI_API_KEY"
_KEYS = ("GEMINI_API_KEY",)
_CLOUDS = ("GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GENAI_USE_GCA", "GEMINI_CLI_USE_COMPUTE_ADC")
_LOGINS = ("oauth_creds.json", "gemini-credentials.json")
_MODES: Mapping[Access, str] = {
    # Not `plan`: without a terminal the model itself may end that mode, and is then allowed everything.
    "read": "default",
    "write": "auto_edit",
    "full": "yolo",
}
_NO_SERVER = "mco-takes-none"
"""The name of the only tool server that may start: there is none of that name."""
_STATUS = re.compile(r"\b(?:code|status): ([45]\d\d)\b")
_COMPLAINT = 300
_AUTH, _INPUT, _TURNS, _UNTRUSTED = 41, 42, 53, 55
"""Its own exit codes."""


class Gemini:
    """How Gemini CLI is asked, and how it answers."""

    name: str = "gemini"
    known: tuple[str, ...] = ("0.61.0",)
    capabilities = frozenset({"text", "schema", "tools", "edit", "web"})
    access: frozenset[Access] = frozenset({"read", "write", "full"})
    own_schema: bool = False
    variables: tuple[str, ...] = (
        *_KEYS,
        *_CLOUDS,
        *("GEMINI_MODEL", "GEMINI_CLI_HOME", "GEMINI_CLI_TRUSTED_FOLDERS_PATH", "GEMINI_SYSTEM_MD"),
        *(
            "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
            "GEMINI_CLI_SYSTEM_DEFAULTS_PATH",
            "GEMINI_API_KEY_AUTH_MECHANISM",
        ),
        *("GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL", "GOOGLE_GENAI_API_VERSION"),
        *("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS"),
        *("GEMINI_FORCE_FILE_STORAGE", "GEMINI_FORCE_ENCRYPTED_FILE_STORAGE", "CLOUD_SHELL"),
    )

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._folder = _folder(environment)

    def invocation(self, question: Question, prompt: str, scratch: Path) -> Invocation:
        """The folder is trusted on the command line only: it has read its settings by then, and left the folder's."""
        data = inert(prompt).encode()
        if len(data) > _LARGEST_INPUT:
            raise StepFailed(
                "unsupported",
                f"a prompt of {len(data):,} bytes is more than gemini reads ({_LARGEST_INPUT:,})",
                hint="let the step read files of the workspace instead",
            )
        arguments = (
            *("--output-format=stream-json", "--skip-trust", f"--approval-mode={_MODES[question.access]}"),
            *self._limits(question.access, scratch),
            *((f"--model={question.model}",) if question.model else ()),
        )
        # Otherwise it starts itself a second time: twice the time and memory, and deaf to signals.
        return Invocation(arguments, data, {"GEMINI_CLI_NO_RELAUNCH": "true"})

    def _limits(self, access: Access, scratch: Path) -> tuple[str, ...]:
        if access == "full":
            return ()
        policies = write_policies(access, scratch)
        own = self._folder / "policies"  # named, since ours would stand in its place
        return (
            *("--extensions=none", f"--allowed-mcp-server-names={_NO_SERVER}"),
            *(f"--admin-policy={policies.denied}", f"--policy={policies.allowed}"),
            *((f"--policy={own}",) if own.is_dir() else ()),
        )

    def hearing(self, question: Question) -> GeminiHearing:
        """A listener for one run."""
        return GeminiHearing()

    def version(self, program: Path) -> str | None:
        """Of the npm package: asking the program takes it two seconds."""
        return installed_version(program, "@google/gemini-cli")

    def sign_in(self, environment: Mapping[str, str]) -> SignIn:
        """A key, a cloud, or a login that it wrote down; a key that it was given may be in the system's keychain."""
        if any(environment.get(name) for name in (*_KEYS, *_CLOUDS)):
            return SignIn(True, _HOW)
        folder = _folder(environment)
        if any((folder / name).is_file() for name in _LOGINS):
            return SignIn(True, _HOW)
        named = (folder / ".env").is_file() or (folder.parent / ".env").is_file() or _chosen(folder)
        return SignIn(None if named else False, _HOW)


class GeminiHearing:
    """One run. Its answer is what it said after its last tool; its last line is `result`."""

    def __init__(self) -> None:
        self._session: str | None = None
        self._model: str | None = None
        self._said = Said()
        self._result: Event | None = None
        self._warning = ""

    def line(self, event: Event) -> Iterator[Progress]:
        """One event. It repeats the prompt as a message of the user."""
        match event.get("type"):
            case "init":
                self._session = text_of(event, "session_id") or None
                self._model = text_of(event, "model") or None
            case "message" if event.get("role") == "assistant":
                text = text_of(event, "content")
                self._said.add(text)
                yield saying(text)
            case "tool_use":
                self._said.clear()
                yield using(text_of(event, "tool_name"), part_of(event, "parameters"))
            case "tool_result":
                self._said.clear()
            case "error":
                self._warning = text_of(event, "message")
                yield noting(self._warning)
            case "result":
                self._result = event
            case _:
                pass

    def answer(self, ended: Exit) -> Answer:
        """What came of it. StepFailed unless exit code, result and text all say that it went well."""
        result = self._result
        if result is None:
            raise _crash(ended)
        if result.get("status") != "success":
            raise self._failure(result, ended)
        if ended.code != 0:
            raise _crash(ended)
        text = self._said.text("")
        if not text.strip():
            raise StepFailed("bad_output", self._warning or "it answered nothing")
        return Answer(value=text, usage=_usage(result), model=self._model, session_id=self._session)

    def _failure(self, result: Event, ended: Exit) -> StepFailed:
        said = text_of(part_of(result, "error"), "message") or self._warning
        if ended.code == 0:  # an answer without a text or without an end, asked for several times
            return failure(said, otherwise="network" if "without a finish reason" in said else "bad_output")
        return failure(said, status=_status(ended), otherwise=_otherwise(ended.code))


def _usage(result: Event) -> Usage:
    """Of the whole run, helpers included. The total is what tells of thoughts, which stand nowhere else."""
    stats = part_of(result, "stats")
    given, said, whole = (count_of(stats, name) for name in ("input_tokens", "output_tokens", "total_tokens"))
    thought = None
    if given is not None and said is not None and whole is not None:
        thought = max(0, whole - given - said)
        said += thought
    return Usage(
        input_tokens=given,
        cached_tokens=count_of(stats, "cached"),
        output_tokens=said,
        reasoning_tokens=thought,
    )


def _status(ended: Exit) -> int | None:
    """The HTTP status in an exit code, which has its last eight bits: 400 comes out as 144. Else in its complaint."""
    if 144 <= ended.code <= 255:
        return ended.code + 256
    found = _STATUS.findall(ended.errors)
    return int(found[-1]) if found else None


def _otherwise(code: int) -> Reason:
    return "refused" if code in (_INPUT, _TURNS) else "auth" if code == _AUTH else "crashed"


def _crash(ended: Exit) -> StepFailed:
    if ended.code == _AUTH:
        return StepFailed("auth", "it has no way to sign in", hint=_HOW)
    if ended.code == _UNTRUSTED:
        return StepFailed("unsupported", "it does not work in a folder that it does not trust")
    status = _status(ended)
    if status is None:
        return crash(ended)
    return failure(f"the service said {status}: {ended.errors[-_COMPLAINT:]}", status=status)


def _folder(environment: Mapping[str, str]) -> Path:
    home = environment.get("GEMINI_CLI_HOME") or environment.get("HOME") or environment.get("USERPROFILE")
    return Path(home or "~").expanduser() / ".gemini"


def _chosen(folder: Path) -> bool:
    """Whether the user chose how to sign in."""
    try:
        settings = from_json((folder / "settings.json").read_bytes())
    except (OSError, ValueError):
        return False
    return is_object(settings) and bool(text_of(part_of(settings, "security", "auth"), "selectedType"))


def build(context: ProviderContext) -> CodingAgent:
    """Gemini CLI as a provider. UsageError when its table in the settings is wrong."""
    return CodingAgent(context, Gemini(context.environment))
