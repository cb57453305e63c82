"""What the documentation shows is run: workflow scripts with the fake provider, commands as they stand.

A fenced block's language decides, and words behind it say more:

    ```python                 with `async def main`: run as a workflow by the fake provider
    ```python args={"n": 3}   the same, with arguments
    ```python exit=1          the same, and it must end with that exit code
    ```toml file=NAME         any language: written to NAME in the page's workspace, for the commands below it
    ```console                `$ mco …` and `$ pytest …` are run there too; `…` in the output stands for anything.
                              Nobody is there to answer: the scripts of the workspace are trusted. Files that were
                              written to `bin/` are programs on the PATH
    ```sh install=FOLDER      the package in that folder is built and unpacked where the commands below find it
    ```sh                     shown, not run: what needs a network or a shell
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.providers.base import ProviderContext, ProviderFactory, Question
from tests.trusting import trust_project

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)(?P<target>[^)#\s]+)")
ANYTHING = "…"
INSTALLED = ".installed"
"""Where the packages of a page are, beside what the page shows."""


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    line: int
    language: str
    words: dict[str, str]
    text: str


@dataclass(frozen=True)
class Shown:
    """A command in a console block and the output shown below it."""

    command: list[str]
    output: list[str] = field(default_factory=list[str])


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        language, _, rest = match["info"].strip().partition(" ")
        words = dict(word.partition("=")[::2] for word in re.findall(r"\w+=(?:\{.*\}|\S+)", rest))
        yield Block(text.count("\n", 0, match.start()) + 1, language, words, match["text"])


def is_script(block: Block) -> bool:
    return block.language == "python" and "async def main" in block.text and "file" not in block.words


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


SCRIPTS = [
    pytest.param(block, id=f"{name_of(page)}:{block.line}")
    for page in PAGES
    for block in blocks(page)
    if is_script(block)
]
STORIES = [
    pytest.param(page, id=name_of(page))
    for page in PAGES
    if any(block.language == "console" for block in blocks(page))
]


def run_command(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    binaries = str(Path(sys.executable).parent)
    path = os.pathsep.join([str(folder / "bin"), binaries, os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(folder / INSTALLED)}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
        timeout=50,
    )


def commands(block: Block) -> Iterator[Shown]:
    shown: Shown | None = None
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if shown:
                yield shown
            shown = Shown(shlex.split(line[2:]))
        elif shown and line.strip():
            shown.output.append(" ".join(line.split()))
    if shown:
        yield shown


def missing(expected: list[str], printed: str) -> list[str]:
    """The lines that were shown but not printed, or not in that order."""
    lines = iter(" ".join(line.split()) for line in printed.splitlines())
    return [line for line in expected if line != ANYTHING and not any(_fits(line, other) for other in lines)]


def _fits(expected: str, line: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in expected.split(ANYTHING))
    return re.fullmatch(pattern, line) is not None


@pytest.mark.parametrize("block", SCRIPTS)
def test_a_script_in_the_docs_runs(block: Block, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(block.text, encoding="utf-8")
    (tmp_path / "arguments.json").write_text(block.words.get("args", "{}"), encoding="utf-8")
    options = ["--provider", "fake", "--args-file", "arguments.json", "--json", "--trust"]
    ended = run_command(["mco", "run", "./example.py", *options], tmp_path)
    assert ended.returncode == int(block.words.get("exit", "0")), ended.stdout


@pytest.mark.parametrize("page", STORIES)
def test_the_commands_of_a_page_do_what_it_shows(page: Path, tmp_path: Path) -> None:
    trust_project(tmp_path)
    for block in blocks(page):
        if "file" in block.words:
            path = tmp_path / block.words["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
            path.chmod(0o755 if path.parent.name == "bin" else 0o644)
        elif "install" in block.words:
            install(tmp_path / block.words["install"], tmp_path / INSTALLED)
        elif block.language == "console":
            run_story(block, tmp_path)


@pytest.mark.anyio
async def test_the_provider_in_the_contributing_guide_answers(tmp_path: Path) -> None:
    (shown,) = [block for block in blocks(ROOT / "CONTRIBUTING.md") if block.language == "python"]
    names: dict[str, ProviderFactory] = {}
    exec(compile(shown.text, "CONTRIBUTING.md", "exec"), names)
    provider = names["build"](ProviderContext(name="shout", workspace=tmp_path, cache_folder=tmp_path))
    assert provider.readiness().ready
    answer = await provider.ask(Question(prompt="quietly", workspace=tmp_path), lambda progress: None)
    assert (answer.provider, answer.value) == ("shout", "QUIETLY")


def install(package: Path, target: Path) -> None:
    """As an installer does with a package of pure Python: build its wheel, and unpack that."""
    wheels = package / "dist"
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, wheels], cwd=package, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)


def run_story(block: Block, workspace: Path) -> None:
    for shown in commands(block):
        assert shown.command[0] in {"mco", "pytest"}, "show other programs in an sh block"
        ended = run_command(shown.command, workspace)
        assert ended.returncode == int(block.words.get("exit", "0")), ended.stdout
        assert missing(shown.output, ended.stdout) == [], ended.stdout


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_docs_show_scripts_and_commands() -> None:
    """The tests above are made from what they find; finding nothing must not pass for success."""
    assert SCRIPTS
    assert STORIES


def test_lines_shown_are_found_in_order_and_only_then() -> None:
    printed = "one  two\nthree 4s\nfive\n"
    assert missing(["one two", "…", "three …s", "five"], printed) == []
    assert missing(["five", "one two"], printed) == ["one two"]
    assert missing(["six"], printed) == ["six"]
