"""One frozen Settings out of four layers: the user's file, the project's file, `MCO_…` variables, flags.

The project's file comes from a repository that may be anybody's: it may narrow what the user allows, never widen it,
and it may not name programs to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
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


def parse_names(value: Any) -> Any:
    """`claude,codex`, as a variable has it, or a list."""
    if not isinstance(value, str):
        return value
    return [name.strip() for name in value.split(",") if name.strip()]


# Bounds that nobody misses, and that keep what we count with finite.
_MOST = 10**12
_WEEK = 7 * 86400
_CENTURY = 36_525
_LONGEST_FILE = 1024 * 1024

Tokens = Annotated[int, BeforeValidator(parse_tokens), Field(gt=0, le=_MOST)]
Names = Annotated[tuple[str, ...], BeforeValidator(parse_names)]


class Settings(BaseModel):
    """What the user (and, narrowing it, the project) wants. Times are in seconds unless a name says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: str | None = None
    """Who is asked when a script names nobody; None takes the first ready one."""
    providers: Mapping[str, Mapping[str, Any]] = {}
    """`[providers.NAME]` tables, as their adapters read them."""
    allowed_providers: Names | None = None
    """Who may be asked at all; None is everybody."""
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
    cache_mb: int = Field(1024, ge=1, le=1024 * 1024)
    """MiB of answers kept for a workspace; beyond that the oldest go, but none that an unfinished run needs."""
    cpu_seconds: int = Field(30, ge=1, le=_WEEK)
    """CPU time that a script's own code may use."""
    think_seconds: float = Field(60.0, gt=0, le=_WEEK)
    """Wall-clock time that a script may run without waiting for an answer."""
    memory_mb: int = Field(512, ge=64, le=1024 * 1024)


class LoadedSettings(NamedTuple):
    """The settings, and where each value that is not a default came from."""

    settings: Settings
    origins: Mapping[str, str]
    held: Mapping[str, Any] = MappingProxyType({})
    """What the project's file asked for beyond what the user allows, by name."""


_USER_ONLY = {"providers"}
_CHOICES = {"provider", "access", "allowed_providers"}
OTHER_VARIABLES = frozenset({"MCO_DEBUG", "MCO_FAKE_RULES", "MCO_PROCESS_TREE"})
"""Variables of ours that are no settings."""
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
    ours = _check(_read_file(user_file), str(user_file))
    asked = _check(_read_file(project_file), str(project_file))
    narrowed = _narrowed(asked, ours, str(project_file))
    held = {name: value for name, value in asked.items() if narrowed[name] != value}
    layers = [
        (str(user_file), ours),
        (
            str(project_file),
            {name: value for name, value in narrowed.items() if _counts(name, value, ours, held)},
        ),
        ("environment", _check(_from_environment(environment or {}), "environment")),
        ("command line", _check({k: v for k, v in (flags or {}).items() if v is not None}, "command line")),
    ]
    values = {name: value for _, layer in layers for name, value in layer.items()}
    origins = {name: origin for origin, layer in layers for name in layer}
    return LoadedSettings(Settings(**values), origins, held)


def _counts(name: str, value: Any, ours: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Whether a narrowed value is the project's doing: one that was held to the user's own is the user's."""
    return name not in held or value != ours.get(name, Settings.model_fields[name].get_default())


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
    given = [name for name, text in environment.items() if name.startswith("MCO_") and text]
    for name in given:
        if name not in names and name not in OTHER_VARIABLES:
            _check_no_slip(name, names)
    return {names[name]: environment[name] for name in given if name in names}


def _check_no_slip(variable: str, names: Iterable[str]) -> None:
    """UsageError for a variable that is nearly a setting's: others may have theirs, but a ceiling must not get lost."""
    from difflib import get_close_matches  # only a mistake pays for it

    near = get_close_matches(variable, names, 1, cutoff=0.85)
    if near:
        raise UsageError(
            f"there is no setting {variable}",
            where="environment",
            hint=f"did you mean {near[0]}? If it is not for mco, unset it",
        )


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
    if layer.get("allowed_providers") is not None:
        allowed = user.get("allowed_providers")
        asked = layer["allowed_providers"]
        narrowed["allowed_providers"] = tuple(name for name in asked if allowed is None or name in allowed)
    return narrowed
