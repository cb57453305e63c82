"""One frozen Settings out of four layers: the user's file, the project's file, `MCO_…` variables, flags.

The project's file comes from a repository that may be anybody's: it may narrow what the user allows, never widen it,
and it may not name programs to run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from engine.errors import UsageError
from engine.step import ACCESS_ORDER, Access

_TOKENS = re.compile(r"(\d+(?:\.\d+)?)\s*([km]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 1_000, "m": 1_000_000}


def parse_tokens(value: Any) -> Any:
    """`200k`, `1.5m` or `20000` as a number of tokens. ValueError otherwise."""
    if not isinstance(value, str):
        return value
    match = _TOKENS.fullmatch(value.strip().replace("_", ""))
    if match is None:
        raise ValueError("write a number of tokens such as 20000, 200k or 1.5m")
    return int(float(match[1]) * _UNITS[match[2].lower()])


# Bounds that nobody misses, and that keep what we count with finite.
_MOST = 10**12
_WEEK = 7 * 86400
_CENTURY = 36_525
_LONGEST_FILE = 1024 * 1024

Tokens = Annotated[int, BeforeValidator(parse_tokens), Field(gt=0, le=_MOST)]


class Settings(BaseModel):
    """What the user (and, narrowing it, the project) wants. Times are in seconds unless a name says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str | None = None
    """Who is asked when a script names nobody; None takes the first ready one."""
    providers: Mapping[str, Mapping[str, Any]] = {}
    """`[providers.NAME]` tables, as their adapters read them."""
    access: Access = "read"
    """The ceiling: a step that asks for more is refused."""
    max_parallel: int = Field(8, ge=1, le=10_000)
    """Steps at once in one run."""
    max_machine_parallel: int | None = Field(None, ge=1, le=10_000)
    """Attempts at once in all of the user's runs on this machine."""
    budget: Tokens | None = None
    """Tokens that one run may spend."""
    max_cost: float | None = Field(None, gt=0, le=_MOST)
    """US dollars that one run may spend."""
    max_steps: int = Field(1_000, ge=1, le=_MOST)
    max_log_lines: int = Field(2_000, ge=0, le=_MOST)
    timeout: float | None = Field(None, gt=0, le=_WEEK)
    """A hard deadline for every attempt; None leaves it to the stall timeout."""
    stall_timeout: float = Field(900.0, gt=0, le=_WEEK)
    retries: int = Field(2, ge=0, le=20)
    patience: float = Field(600.0, ge=0, le=_WEEK)
    """How long a step waits for a provider that asks to be left alone until its quota is there again."""
    expire_days: float = Field(30.0, gt=0, le=_CENTURY)
    """How old an answer may be to be reused."""
    cpu_seconds: int = Field(30, ge=1, le=_WEEK)
    """CPU time that a script's own code may use."""
    think_seconds: float = Field(60.0, gt=0, le=_WEEK)
    """Wall-clock time that a script may run without waiting for an answer."""
    memory_mb: int = Field(512, ge=64, le=1024 * 1024)


class LoadedSettings(NamedTuple):
    """The settings, and where each value that is not a default came from."""

    settings: Settings
    origins: Mapping[str, str]


_USER_ONLY = {"providers"}
_CHOICES = {"provider", "access"}
_AMOUNTS = frozenset(Settings.model_fields) - _USER_ONLY - _CHOICES
"""Where less is narrower."""


def load_settings(
    *,
    user_file: Path | None = None,
    project_file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> LoadedSettings:
    """Read and lay the four layers over the defaults. UsageError on an unknown name or a wrong value."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    layers = [
        (str(user_file), _read_file(user_file)),
        (str(project_file), _read_file(project_file)),
        ("environment", _from_environment(environment or {})),
        ("command line", {k: v for k, v in (flags or {}).items() if v is not None}),
    ]
    for index, (origin, layer) in enumerate(layers):
        checked = _check(layer, origin)
        if index == 1:
            checked = _narrowed(checked, values, origin)
        values.update(checked)
        origins.update(dict.fromkeys(checked, origin))
    return LoadedSettings(Settings(**values), origins)


def _read_file(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = _content(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        hint = (
            "a folder of that name must be there, or nothing"
            if isinstance(error, NotADirectoryError)
            else None
        )
        raise UsageError(
            "the settings cannot be read", where=str(path), why=error.strerror, hint=hint
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError("the settings are not valid TOML", where=str(path), why=str(error)) from None
    import tomllib  # most people have no file of settings

    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise UsageError("the settings are not valid TOML", where=str(path), why=str(error)) from None


def _content(path: Path) -> str:
    if path.exists() and not path.is_dir() and not path.is_file():
        raise UsageError("the settings are not a regular file", where=str(path))
    with path.open("rb") as file:
        content = file.read(_LONGEST_FILE + 1)
    if len(content) > _LONGEST_FILE:
        raise UsageError("the settings are larger than 1 MiB", where=str(path))
    return content.decode()


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {f"MCO_{name.upper()}": name for name in Settings.model_fields if name not in _USER_ONLY}
    return {names[name]: text for name, text in environment.items() if name in names and text}


def _check(layer: Mapping[str, Any], origin: str) -> dict[str, Any]:
    for name in layer:
        if name not in Settings.model_fields:
            from difflib import get_close_matches  # only a mistake pays for it

            near = get_close_matches(name, Settings.model_fields, 1)
            raise UsageError(
                f"there is no setting {name!r}",
                where=origin,
                hint=f"did you mean {near[0]!r}?"
                if near
                else f"settings: {', '.join(Settings.model_fields)}",
            )
    try:
        parsed = Settings(**layer)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"the setting {name!r} is wrong", where=origin, why=message) from None
    return {name: getattr(parsed, name) for name in layer}


def _narrowed(layer: dict[str, Any], user: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """What a project's file may set: never more than the user's own value (or the default) allows."""
    forbidden = _USER_ONLY & layer.keys()
    if forbidden:
        name = min(forbidden)
        raise UsageError(
            f"a project may not set {name!r}",
            where=origin,
            why="it names programs to run, and a cloned repository must not choose those",
            hint="move it to your own settings file (`mco doctor` shows where that is)",
        )
    if layer.get("provider") == "fake":
        raise UsageError(
            "a project may not choose the provider 'fake'",
            where=origin,
            why="its answers are made up, and would look like those of an agent",
            hint="name it for a run of yours with --provider fake",
        )
    defaults = Settings.model_validate({})
    narrowed = dict(layer)
    for name in layer.keys() & _AMOUNTS:
        allowed = user.get(name, getattr(defaults, name))
        narrowed[name] = layer[name] if allowed is None else min(layer[name], allowed)
    if "access" in layer:
        allowed = user.get("access", defaults.access)
        narrowed["access"] = min(layer["access"], allowed, key=ACCESS_ORDER.index)
    return narrowed
