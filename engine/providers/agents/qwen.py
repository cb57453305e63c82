"""Qwen Code, run headless."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from engine.json_value import is_object
from engine.providers.agents.agent import CodingAgent
from engine.providers.agents.dialect import Invocation, SignIn
from engine.providers.agents.event import part_of, text_of
from engine.providers.agents.installation import installed_version
from engine.providers.agents.prompt import inert
from engine.providers.agents.qwen_hearing import QwenHearing
from engine.providers.base import ProviderContext, Question
from engine.step import Access, canonical

_HOW = "run `qwen` once and sign in, or set OPENAI_API_KEY, OPENAI_BASE_URL and OPENAI_MODEL"
_KEYED = (
    ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"),
    ("OPENAI_API_KEY", "OPENAI_BASE_URL", "QWEN_MODEL"),
    ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL"),
    ("GEMINI_API_KEY", "GEMINI_MODEL"),
    ("GOOGLE_API_KEY", "GOOGLE_MODEL"),
)
"""What it infers a service from: any of these, whole."""
_DEFAULTS = "QWEN_CODE_SYSTEM_DEFAULTS_PATH"
_SYSTEM_DEFAULTS = {
    "darwin": "/Library/Application Support/QwenCode/system-defaults.json",
    "win32": "C:\\ProgramData\\qwen-code\\system-defaults.json",
}
_WRITING = ("write_file", "edit")
_ACTING = (
    *("notebook_edit", "run_shell_command", "monitor", "web_fetch", "agent", "send_message", "skill"),
    *("enter_worktree", "exit_worktree", "cron_create", "cron_delete", "loop_wakeup", "record_artifact"),
)
_READING = ("read_file", "glob", "grep_search", "list_directory", "zoom_image")
_ACCESS: Mapping[Access, tuple[str, ...]] = {
    # What would ask a person is declined, since nobody is there; what acts is not even offered. Not `plan`: it tells
    # the model to make a plan, whatever the prompt asks for.
    "read": (f"--exclude-tools={','.join((*_WRITING, *_ACTING))}",),
    # Not `auto-edit`: that edits files anywhere. A path that begins with a slash begins at the working folder.
    "write": (
        *(f"--allowed-tools={tool}(/**)" for tool in _WRITING),
        f"--exclude-tools={','.join(_ACTING)}",
    ),
    # Not `yolo`: it would need the folder's trust, and with that come the settings of anybody's repository.
    "full": tuple(f"--allowed-tools={tool}" for tool in (*_READING, *_WRITING, *_ACTING)),
}


class Qwen:
    """How Qwen Code is asked, and how it answers."""

    name: str = "qwen"
    known: tuple[str, ...] = ("0.24.4",)
    capabilities = frozenset({"text", "schema", "tools", "edit"})
    access: frozenset[Access] = frozenset({"read", "write", "full"})
    own_schema: bool = False  # it takes some: see `_takes`
    variables: tuple[str, ...] = (
        *("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "QWEN_MODEL", "QWEN_HOME", "QWEN_OAUTH"),
        *("DASHSCOPE_API_KEY", "BAILIAN_CODING_PLAN_API_KEY", "BAILIAN_TOKEN_PLAN_API_KEY"),
        *("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "ANTHROPIC_MODEL", "OPENROUTER_API_KEY"),
        *("GEMINI_API_KEY", "GEMINI_MODEL", "GOOGLE_API_KEY", "GOOGLE_MODEL", "GOOGLE_CLOUD_PROJECT"),
        *("GOOGLE_CLOUD_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS", "QWEN_CODE_TRUSTED_FOLDERS_PATH"),
        *("QWEN_CODE_SYSTEM_SETTINGS_PATH", _DEFAULTS),
    )

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._has_defaults = _DEFAULTS in environment or _system_defaults().exists()

    def invocation(self, question: Question, prompt: str, scratch: Path) -> Invocation:
        """In its safe mode: programs, servers and instructions that a project or the user set up are left out."""
        text, schema = prompt, ()
        if _takes(question.schema):
            text, schema = question.prompt, (f"--json-schema=@{_written(question.schema, scratch)}",)
        arguments = (
            *("--output-format=stream-json", "--safe-mode", "--approval-mode=default"),
            *_ACCESS[question.access],
            *((f"--model={question.model}",) if question.model else ()),
            *schema,
        )
        return Invocation(arguments, inert(text).encode(), self._environment(scratch))

    def _environment(self, scratch: Path) -> Mapping[str, str]:
        # Otherwise it starts itself up to three more times.
        environment = {"QWEN_CODE_NO_RELAUNCH": "true"}
        if not self._has_defaults:
            # Below what the user sets: a folder is not trusted until the user trusts it. Otherwise its settings and
            # its `.env` may name another service, which is then sent the user's key.
            defaults = {
                "security": {"folderTrust": {"enabled": True}},
                "general": {"enableAutoUpdate": False},
            }
            path = scratch / "defaults.json"
            path.write_text(json.dumps(defaults), encoding="utf-8")
            environment[_DEFAULTS] = str(path)
        return environment

    def hearing(self, question: Question) -> QwenHearing:
        """A listener for one run."""
        return QwenHearing()

    def version(self, program: Path) -> str | None:
        """Of the npm package."""
        return installed_version(program, "@qwen-code/qwen-code")

    def sign_in(self, environment: Mapping[str, str]) -> SignIn:
        """A service in the variables, a login that it wrote down, or a service chosen in its settings."""
        if any(all(environment.get(name) for name in names) for names in _KEYED):
            return SignIn(True, _HOW)
        folder = _folder(environment)
        if (folder / "oauth_creds.json").is_file():
            return SignIn(True, _HOW)
        named = _chosen(folder) or (folder / ".env").is_file() or (folder.parent / ".env").is_file()
        return SignIn(None if named else False, _HOW)


def _takes(schema: Mapping[str, Any] | bool | None) -> bool:
    """Whether its own option takes a schema. It becomes the input of a tool, which is an object."""
    return is_object(schema) and schema.get("type") == "object"


def _written(schema: Mapping[str, Any] | bool | None, scratch: Path) -> Path:
    path = scratch / "schema.json"
    path.write_text(canonical(schema), encoding="utf-8")
    return path


def _system_defaults() -> Path:
    return Path(_SYSTEM_DEFAULTS.get(sys.platform, "/etc/qwen-code/system-defaults.json"))


def _folder(environment: Mapping[str, str]) -> Path:
    own = environment.get("QWEN_HOME")
    home = environment.get("HOME") or environment.get("USERPROFILE") or "~"
    return Path(own) if own else Path(home).expanduser() / ".qwen"


def _chosen(folder: Path) -> bool:
    """Whether its settings name a service."""
    try:
        settings = from_json((folder / "settings.json").read_bytes())
    except (OSError, ValueError):
        return False
    return is_object(settings) and bool(
        text_of(part_of(settings, "security", "auth"), "selectedType") or part_of(settings, "modelProviders")
    )


def build(context: ProviderContext) -> CodingAgent:
    """Qwen Code as a provider. UsageError when its table in the settings is wrong."""
    return CodingAgent(context, Qwen(context.environment))
