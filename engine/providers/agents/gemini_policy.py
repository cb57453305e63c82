"""What Gemini CLI's tools may do in a step, as rules of its policy engine: the highest priority that fits decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from engine.step import Access

_READING = (
    *("glob", "grep_search", "list_directory", "read_file", "read_many_files"),
    *("google_web_search", "update_topic"),
)
_WRITING = ("write_file", "replace")
_NEVER = (
    *("run_shell_command", "web_fetch", "activate_skill", "invoke_agent", "save_memory"),
    # Whoever leaves plan mode without a terminal may do everything: nobody gets in.
    *("enter_plan_mode", "exit_plan_mode"),
    *("mcp_*", "discovered_tool_*"),
)


class Policies(NamedTuple):
    """Two files of rules. Those in `denied` are above everything that the user allows, those in `allowed` below it."""

    denied: Path
    allowed: Path


def write_policies(access: Access, folder: Path) -> Policies:
    """Write the rules for `read` or `write` access: a few tools by name, and nothing else, known or new.

    What the user forbids by rules of their own stays forbidden. What they allow counts for tools not named here.
    """
    allowed = (*_READING, *_WRITING) if access == "write" else _READING
    denied = _NEVER if access == "write" else (*_NEVER, *_WRITING)
    top = _rule(denied, "deny", 999)
    files = Policies(folder / "denied.toml", folder / "allowed.toml")
    files.denied.write_text(top, encoding="utf-8")
    # The system's administrator may have rules that make it leave `denied` out, so the user's floor has it as well.
    files.allowed.write_text(top + _rule(allowed, "allow", 1) + _rule(("*",), "deny", 0), encoding="utf-8")
    return files


def _rule(tools: tuple[str, ...], decision: str, priority: int) -> str:
    # A list of plain names reads the same in JSON and TOML.
    return (
        f'[[rule]]\ntoolName = {json.dumps(list(tools))}\ndecision = "{decision}"\npriority = {priority}\n\n'
    )
