"""What works on this machine: each thing is tried, not guessed."""

from __future__ import annotations

import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engine import __version__
from engine.errors import MCOError
from workflows.cli.caller import Caller
from workflows.cli.readiness import phrase

if TYPE_CHECKING:
    from engine.sandbox.layer import Layer
    from engine.settings import LoadedSettings

_LIBRARIES = (
    "RestrictedPython",
    "anyio",
    "click",
    "diskcache",
    "google-re2",
    "jsonschema-rs",
    "platformdirs",
    "pydantic",
    "rich",
    "ruff",
    "watchfiles",
)
_PROBE = b'meta = {"name": "probe", "description": "loads"}\n\nasync def main(args):\n    return None\n'


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried. `hint` says how to mend it."""

    name: str
    fine: bool
    said: str
    hint: str = ""

    def row(self) -> tuple[str, str, str]:
        """As a line of a table."""
        return (
            self.name,
            "ok" if self.fine else "no",
            f"{self.said}  hint: {self.hint}" if self.hint else self.said,
        )

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"ok": self.fine, "said": self.said, "hint": self.hint or None}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force. `held` is what the project asked for beyond what the user allows, None if nothing."""

    name: str
    value: Any
    origin: str
    held: Any = None

    def row(self) -> tuple[str, ...]:
        """As a line of a table."""
        held = "" if self.held is None else f"; the project's {_shown(self.held)} is more than you allow"
        return (self.name, _shown(self.value), self.origin + held)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        held = {} if self.held is None else {"project_asked_for": self.held}
        return {"value": self.value, "from": self.origin, **held}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found."""

    versions: Sequence[tuple[str, str]]
    sandbox: Finding
    wall: Finding
    layers: Sequence[Finding]
    providers: Sequence[Finding]
    settings: Sequence[Setting]
    settings_files: Sequence[tuple[str, Path]]
    settings_wrong: Finding | None
    folders: Sequence[Finding]

    @property
    def exit_code(self) -> int:
        """0 when runs work, 4 when only a provider is missing, else 1."""
        needed = [self.sandbox, *self.folders, *([self.settings_wrong] if self.settings_wrong else [])]
        if not all(finding.fine for finding in needed):
            return 1
        return 0 if any(finding.fine and finding.name != "fake" for finding in self.providers) else 4

    def sections(self) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
        """Titles and rows, for people."""
        yield "versions", [tuple(row) for row in self.versions]
        yield "sandbox", [self.sandbox.row(), self.wall.row(), *(layer.row() for layer in self.layers)]
        yield "providers", [finding.row() for finding in self.providers]
        if self.settings_wrong:
            yield "settings", [self.settings_wrong.row()]
        else:
            yield "settings", [setting.row() for setting in self.settings]
        yield "settings files", [(name, str(path), _presence(path)) for name, path in self.settings_files]
        yield "folders", [finding.row() for finding in self.folders]

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "versions": dict(self.versions),
            "sandbox": {
                **self.sandbox.document(),
                "wall": self.wall.document(),
                "layers": {layer.name: layer.document() for layer in self.layers},
            },
            "providers": {finding.name: finding.document() for finding in self.providers},
            "settings": {setting.name: setting.document() for setting in self.settings},
            "settings_files": {name: str(path) for name, path in self.settings_files},
            "settings_wrong": self.settings_wrong.document() if self.settings_wrong else None,
            "folders": {finding.name: finding.document() for finding in self.folders},
        }


def diagnose(caller: Caller) -> Diagnosis:
    """Try everything once. Nothing is asked of a provider that costs."""
    sandbox, wall, layers = _sandbox()
    try:
        loaded, wrong = caller.settings(), None
    except MCOError as error:
        loaded, wrong = None, Finding("settings", fine=False, said=str(error), hint=error.hint or "")
    return Diagnosis(
        versions=list(_versions()),
        sandbox=sandbox,
        wall=wall,
        layers=layers,
        providers=list(_providers(caller, loaded)) if loaded else [],
        settings=list(_settings(loaded)) if loaded else [],
        settings_files=[("yours", caller.places.user_settings), ("project", caller.places.project_settings)],
        settings_wrong=wrong,
        folders=[
            _folder("runs", caller.places.runs),
            _folder("cache", caller.places.cache),
        ],
    )


def _versions() -> Iterator[tuple[str, str]]:
    from importlib.metadata import version as installed

    yield "mco", __version__
    yield "python", f"{platform.python_version()} ({sys.executable})"
    yield "system", platform.platform()
    for name in _LIBRARIES:
        yield name, installed(name)


def _sandbox() -> tuple[Finding, Finding, list[Finding]]:
    """Whether a worker starts, whether the operating system's wall around it is whole, and its layers."""
    import anyio

    try:
        layers = anyio.run(_probe)
    except (MCOError, OSError) as error:
        broken = Finding("worker", fine=False, said=str(error), hint="no script can run until this is mended")
        return broken, Finding("wall", fine=False, said="unknown without a worker"), []
    worker = Finding("worker", fine=True, said="starts, and loads a script")
    return worker, _wall(layers), [Finding(layer.name, layer.stands, layer.said) for layer in layers]


def _wall(layers: Sequence[Layer]) -> Finding:
    from engine.sandbox.layer import gaps

    lacking = gaps(layers)
    if not lacking:
        return Finding("wall", fine=True, said="the operating system's part is whole: --untrusted runs here")
    said = f"not whole, so --untrusted is refused: {'; '.join(lacking)}"
    return Finding("wall", fine=False, said=said)


async def _probe() -> tuple[Layer, ...]:
    from engine.sandbox.host import Worker

    worker = Worker.spawn()
    try:
        await worker.load("probe", _PROBE)
        return worker.layers
    finally:
        worker.kill()


def _providers(caller: Caller, loaded: LoadedSettings) -> Iterator[Finding]:
    for name, provider, readiness in caller.registry(loaded.settings).readiness():
        note = f"; says of its answers: {provider.note}" if provider is not None and provider.note else ""
        yield Finding(name, readiness.ready, phrase(readiness) + note, readiness.hint)


def _settings(loaded: LoadedSettings) -> Iterator[Setting]:
    for name, value in loaded.settings.model_dump(mode="json").items():
        # Of a provider's table nothing but the name: it may hold what is nobody else's business.
        shown = list(value) if name == "providers" else value
        yield Setting(name, shown, loaded.origins.get(name, "default"), loaded.held.get(name))


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(cast("Sequence[str]", value)) or "none"
    return "–" if value is None else str(value)


def _presence(path: Path) -> str:
    return "there" if path.is_file() else "not there, and need not be"


def _folder(name: str, path: Path) -> Finding:
    """Whether a folder, or the nearest there is above it, takes a new file. Nothing is left behind."""
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return Finding(name, fine=False, said=f"{path}: {error.strerror}", hint="make it writable")
    return Finding(name, fine=True, said=f"{path} is writable, {_free(there)}")


def _free(folder: Path) -> str:
    return f"{shutil.disk_usage(folder).free / 1024**3:.1f} GiB free"
