"""OpenCode, run headless."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from engine.errors import StepFailed
from engine.json_value import is_object
from engine.providers.agents.agent import CodingAgent
from engine.providers.agents.dialect import Invocation, SignIn
from engine.providers.agents.event import part_of
from engine.providers.agents.installation import installed_version
from engine.providers.agents.opencode_hearing import OpenCodeHearing
from engine.providers.base import ProviderContext, Question
from engine.step import Access

_HOW = "run `opencode auth login`, or set the key of a service, such as ANTHROPIC_API_KEY"
_KEYS = (
    *("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY", "OPENCODE_API_KEY"),
    *("GOOGLE_GENERATIVE_AI_API_KEY", "GROQ_API_KEY", "MISTRAL_API_KEY", "DEEPSEEK_API_KEY", "XAI_API_KEY"),
    *("CEREBRAS_API_KEY", "TOGETHER_API_KEY", "FIREWORKS_API_KEY", "MOONSHOT_API_KEY", "ZHIPU_API_KEY"),
    *("AZURE_API_KEY", "AWS_BEARER_TOKEN_BEDROCK", "OPENCODE_AUTH_CONTENT"),
)
_CONFIG = "OPENCODE_CONFIG_CONTENT"
_SETTINGS = ("OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR", _CONFIG)
_READING: Mapping[str, Any] = {
    "*": "deny",
    "read": {"*": "allow", "*.env": "deny", "*.env.*": "deny", "*.env.example": "allow"},
    **dict.fromkeys(("glob", "grep", "list"), "allow"),
}
_PERMISSIONS: Mapping[Access, Mapping[str, Any]] = {
    # Of the rules that fit, the last decides. What is denied is not offered; what would be asked would end the run.
    "read": _READING,
    "write": {**_READING, "edit": "allow"},
    "full": {"*": "allow", **dict.fromkeys(("question", "doom_loop"), "deny")},
}
_PROJECT_CONFIGS = ("opencode.json", "opencode.jsonc", ".opencode/opencode.json", ".opencode/opencode.jsonc")
_PROJECT_PROGRAMS = ("plugin/*.ts", "plugin/*.js", "plugins/*.ts", "plugins/*.js")


class OpenCode:
    """How OpenCode is asked, and how it answers."""

    name: str = "opencode"
    known: tuple[str, ...] = ("1.18.33",)
    capabilities = frozenset({"text", "schema", "tools", "edit"})
    access: frozenset[Access] = frozenset({"read", "write", "full"})
    own_schema: bool = False
    variables: tuple[str, ...] = (
        *_KEYS,
        *_SETTINGS,
        *("OPENCODE_DB", "OPENCODE_MODELS_PATH"),
        *("OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_DEFAULT_PLUGINS", "OPENCODE_PURE"),
        *("AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AZURE_RESOURCE_NAME", "GOOGLE_CLOUD_PROJECT", "GOOGLE_APPLICATION_CREDENTIALS", "VERTEX_LOCATION"),
    )

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._config = environment.get(_CONFIG, "")
        self._database = environment.get("OPENCODE_DB", "")
        self._home = _home(environment)
        self._folder = _folder(environment)

    def invocation(self, question: Question, prompt: str, scratch: Path) -> Invocation:
        """As an agent of our own, whose permissions nobody's settings can name."""
        if question.access != "full":
            _check_project(question.workspace, self._home)
        agent = scratch.name
        arguments = (
            *("run", "--format=json", f"--agent={agent}"),
            "--title=mco",  # otherwise a second model is sent the whole prompt, to find a title
            *((f"--model={question.model}",) if question.model else ()),
            *((f"--variant={question.effort}",) if question.effort else ()),
        )
        environment = {
            _CONFIG: json.dumps(self._with_agent(agent, question.access)),
            "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
            **self._with_database(scratch),
        }
        return Invocation(arguments, prompt.encode(), environment)

    def _with_agent(self, name: str, access: Access) -> Mapping[str, Any]:
        """What the user's own variable says, and our agent. Without snapshots of the work tree for every step."""
        try:
            given: Any = from_json(self._config) if self._config else {}
        except ValueError:
            given = None
        if not is_object(given):
            raise StepFailed("unsupported", f"{_CONFIG} is no JSON object that mco could add its agent to")
        ours = {"mode": "primary", "permission": _PERMISSIONS[access]}
        fixed = {"snapshot": False, "share": "disabled", "autoupdate": False}
        return {**given, **fixed, "agent": {**part_of(given, "agent"), name: ours}}

    def _with_database(self, scratch: Path) -> Mapping[str, str]:
        """Where it never ran, several first runs would fail at making one database together: each gets its own."""
        if self._database or (self._folder / "opencode.db").exists():
            return {}
        return {"OPENCODE_DB": str(scratch / "opencode.db")}

    def hearing(self, question: Question) -> OpenCodeHearing:
        """A listener for one run."""
        return OpenCodeHearing()

    def version(self, program: Path) -> str | None:
        """Of the npm package, or of the folder that a package manager names by version."""
        return installed_version(program, "opencode-ai")

    def sign_in(self, environment: Mapping[str, str]) -> SignIn:
        """A key or a login that it wrote down, or settings, which may name a service that needs neither.

        Without any of them it would send what it is asked to whatever free service it knows, or wait for ever.
        """
        if any(environment.get(name) for name in _KEYS) or _has_login(_folder(environment)):
            return SignIn(True, _HOW)
        named = any(environment.get(name) for name in _SETTINGS) or _has_settings(environment)
        return SignIn(None if named else False, _HOW)


def _check_project(workspace: Path, home: Path) -> None:
    """StepFailed (`unsupported`) where the project has plugins: no switch keeps it from running those."""
    for path in _project_plugins(workspace, home):
        raise StepFailed(
            "unsupported",
            f"opencode would run the project's own plugins ({path})",
            hint="ask another provider, or with access='full' if you trust the project",
        )


def _project_plugins(workspace: Path, home: Path) -> Iterator[Path]:
    """What it would load on its way up from the workspace to the repository's root."""
    for folder in (workspace, *workspace.parents):
        if folder == home and folder != workspace:
            return  # the user's own from here on
        yield from (path for path in (folder / name for name in _PROJECT_CONFIGS) if _names_plugins(path))
        for pattern in _PROJECT_PROGRAMS:
            yield from (folder / ".opencode").glob(pattern)
        if (folder / ".git").exists():
            return


def _names_plugins(path: Path) -> bool:
    """Whether settings may name plugins. Comments are allowed in them, and escapes: what is unclear counts as yes."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return b"plugin" in text or b"\\u" in text


def _folder(environment: Mapping[str, str]) -> Path:
    own = environment.get("XDG_DATA_HOME")
    return (Path(own) if own else _home(environment) / ".local" / "share") / "opencode"


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME") or environment.get("USERPROFILE") or "~").expanduser()


def _has_settings(environment: Mapping[str, str]) -> bool:
    own = environment.get("XDG_CONFIG_HOME")
    folder = (Path(own) if own else _home(environment) / ".config") / "opencode"
    return any((folder / name).is_file() for name in ("opencode.json", "opencode.jsonc", "config.json"))


def _has_login(folder: Path) -> bool:
    try:
        logins = from_json((folder / "auth.json").read_bytes())
    except (OSError, ValueError):
        return False
    return is_object(logins) and bool(logins)


def build(context: ProviderContext) -> CodingAgent:
    """OpenCode as a provider. UsageError when its table in the settings is wrong."""
    return CodingAgent(context, OpenCode(context.environment))
