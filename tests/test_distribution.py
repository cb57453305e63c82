"""What is installed is what is here: packages, the catalog as data, the command and the providers' doors."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("mco_workflows-*.whl")
    return zipfile.ZipFile(built)


def scripts(names: list[str], folder: str) -> set[str]:
    return {name for name in names if name.startswith(f"{folder}/") and name.endswith(".py")}


@pytest.mark.parametrize("folder", ["engine", "workflows", "catalog"])
def test_every_module_and_script_is_in_the_wheel(wheel: zipfile.ZipFile, folder: str) -> None:
    here = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py")}
    assert here
    assert scripts(wheel.namelist(), folder) == here


def test_nothing_else_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"engine", "workflows", "catalog"}


def test_the_wheel_has_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    by_name = {name.split(".dist-info/")[-1]: name for name in wheel.namelist()}
    assert "mco = workflows.cli.entry:main" in wheel.read(by_name["entry_points.txt"]).decode()
    assert "licenses/LICENSE" in by_name
