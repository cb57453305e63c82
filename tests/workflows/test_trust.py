"""What was agreed to is found again, nothing else is, and no file of agreements can make mco stumble."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.source import ScriptSource
from workflows.places import Places
from workflows.script import Origin, Script
from workflows.trust import Agreement, Trust

DIGEST = ScriptSource("a.py", b"one").digest


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(
        tmp_path / "w", tmp_path / "user", tmp_path / "cache", tmp_path / "state", tmp_path / "catalog"
    )
    for folder in (places.project_workflows, places.user_workflows, places.catalog):
        folder.mkdir(parents=True)
    return places


@pytest.fixture
def trust(places: Places) -> Trust:
    return Trust(places)


def script(path: Path, text: bytes = b"one", origin: Origin = "project") -> tuple[Script, ScriptSource]:
    return Script(path.stem, path, origin), ScriptSource(path.name, text, path.resolve(), path.stem)


def in_project(places: Places, text: bytes = b"one") -> tuple[Script, ScriptSource]:
    return script(places.project_workflows / "a.py", text)


def agree(trust: Trust, source: ScriptSource, at: float = 1.0) -> None:
    assert source.path is not None
    trust.agree(source.path, source.digest, at)


def test_a_script_that_nobody_agreed_to_is_not_covered(trust: Trust, places: Places) -> None:
    assert not trust.covers(*in_project(places))
    assert trust.damage() == ""


def test_a_yes_covers_these_bytes_wherever_they_lie_in_the_workspace(trust: Trust, places: Places) -> None:
    agree(trust, in_project(places)[1])

    assert trust.covers(*in_project(places))
    assert trust.covers(*script(places.workspace / "moved.py", origin="file"))
    assert not trust.covers(*in_project(places, b"one "))


def test_a_yes_holds_in_its_workspace_only(trust: Trust, places: Places, tmp_path: Path) -> None:
    agree(trust, in_project(places)[1])
    elsewhere = Trust(places._replace(workspace=tmp_path / "other"))

    assert not elsewhere.covers(*in_project(places))
    assert elsewhere.earlier(in_project(places, b"two")[1]) is None


def test_a_workspace_is_the_same_by_way_of_a_link(trust: Trust, places: Places, tmp_path: Path) -> None:
    agree(trust, in_project(places)[1])
    link = tmp_path / "link"
    link.symlink_to(places.workspace)

    assert Trust(places._replace(workspace=link)).covers(*in_project(places))


def test_always_covers_every_script_of_the_project_and_none_beside_it(
    trust: Trust, places: Places, tmp_path: Path
) -> None:
    trust.agree_to_project(1.0)
    (tmp_path / "outside.py").write_text("one")
    link = places.project_workflows / "link.py"
    link.symlink_to(tmp_path / "outside.py")

    assert trust.covers(*in_project(places, b"whatever it becomes"))
    assert not trust.covers(*script(tmp_path / "outside.py", origin="file"))
    assert not trust.covers(*script(link))


@pytest.mark.parametrize("origin", ["project", "file"])
def test_the_folders_of_the_user_and_of_mco_need_no_yes(trust: Trust, places: Places, origin: Origin) -> None:
    assert trust.covers(*script(places.user_workflows / "mine.py", origin=origin))
    assert trust.covers(*script(places.catalog / "ours.py", origin=origin))
    assert not trust.covers(*script(places.user / "beside.py", origin=origin))
    assert not trust.covers(*script(places.user_workflows / ".." / "beside.py", origin=origin))


@pytest.mark.parametrize("origin", ["user", "built-in"])
def test_what_was_found_there_by_name_needs_none_either(
    trust: Trust, places: Places, tmp_path: Path, origin: Origin
) -> None:
    assert trust.covers(*script(tmp_path / "linked-from-there.py", origin=origin))


def test_what_a_changed_file_held_before_is_known_by_its_newest_yes(trust: Trust, places: Places) -> None:
    agree(trust, in_project(places, b"old")[1], at=5.0)
    agree(trust, in_project(places, b"older")[1], at=3.0)
    agree(trust, script(places.project_workflows / "b.py")[1], at=9.0)

    earlier = trust.earlier(in_project(places, b"new")[1])
    assert earlier is not None
    assert earlier.at == 5.0


def test_the_home_folder_is_no_project(places: Places, hermetic_environment: Path) -> None:
    assert Trust(places).has_project()
    assert not Trust(places._replace(workspace=hermetic_environment)).has_project()
    assert not Trust(places._replace(workspace=hermetic_environment.parent)).has_project()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_folder_that_everybody_can_write_to_is_no_project(trust: Trust, places: Places) -> None:
    places.workspace.chmod(0o1777)

    assert not trust.has_project()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_nobody_else_may_read_or_write_the_file(trust: Trust, places: Places) -> None:
    before = os.umask(0)
    try:
        agree(trust, in_project(places)[1])
    finally:
        os.umask(before)

    assert stat.S_IMODE(trust.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(trust.file.parent.stat().st_mode) == 0o700


def a_line(**changes: object) -> bytes:
    return json.dumps({"at": 1.0, "workspace": "W", "path": "p", "sha256": DIGEST, **changes}).encode()


LINES = {
    "torn": a_line()[:-9],
    "no JSON": DIGEST.encode(),
    "no object": f'["{DIGEST}"]'.encode(),
    "too deep": b"[" * 100_000 + DIGEST.encode(),
    "no time": a_line(at=None),
    "a time that is none": a_line(at=float("nan")),
    "a time beyond all calendars": a_line(at=1e300),
    "a time before all calendars": a_line(at=-1),
    "no workspace": a_line(workspace=None),
    "a path that is a number": a_line(path=3),
    "an empty hash": a_line(sha256="", always=False),
    "an always that is not true": a_line(sha256=None, always="true"),
    "bytes that are no text": b"\xff\x00" + DIGEST.encode(),
    "a number without an end": b'{"at": ' + b"9" * 10_000 + DIGEST.encode() + b"}",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_that_cannot_be_read_is_no_yes_and_spoils_no_other(
    trust: Trust, places: Places, line: bytes
) -> None:
    trust.file.parent.mkdir()
    trust.file.write_bytes(line.replace(b'"W"', json.dumps(str(places.workspace)).encode()))
    trust.file.chmod(0o600)

    assert not trust.covers(*in_project(places))
    assert trust.earlier(in_project(places, b"two")[1]) is None
    assert trust.damage() == "1 of its 1 lines cannot be read"

    agree(trust, in_project(places)[1])
    assert trust.covers(*in_project(places))


def a_folder(file: Path) -> None:
    file.mkdir()


def a_pipe(file: Path) -> None:
    os.mkfifo(file)


def a_circle(file: Path) -> None:
    file.symlink_to(file)


def writable_by_others(file: Path) -> None:
    file.chmod(0o666)


def of_somebody_else(file: Path) -> None:
    os.chown(file, 65534, 65534)


SPOILT = {
    "a folder": (a_folder, "not a regular file", "Is a directory"),
    "a pipe": (a_pipe, "not a regular file", "No such device"),
    "a link to itself": (a_circle, "symbolic links", "symbolic links"),
    "writable by others": (writable_by_others, "other users can write to it", "other users can write to it"),
    "of somebody else": (of_somebody_else, "belongs to another user", "belongs to another user"),
}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has none of these")
@pytest.mark.parametrize(("spoil", "read", "written"), SPOILT.values(), ids=SPOILT)
def test_a_file_that_is_not_the_users_alone_is_not_believed(
    trust: Trust, places: Places, spoil: Callable[[Path], None], read: str, written: str
) -> None:
    if spoil is of_somebody_else and os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    agree(trust, in_project(places)[1])
    if spoil not in (writable_by_others, of_somebody_else):
        trust.file.unlink()
    spoil(trust.file)

    assert not trust.covers(*in_project(places))
    assert trust.earlier(in_project(places, b"two")[1]) is None
    assert read in trust.damage()
    with pytest.raises(StorageFailed, match=written):
        trust.agree_to_project(2.0)


def test_of_a_file_that_grew_too_long_the_end_counts(trust: Trust, places: Places) -> None:
    agree(trust, in_project(places, b"forgotten")[1])
    with trust.file.open("ab") as file:
        file.write((a_line(workspace="another") + b"\n") * 9_000)
    agree(trust, in_project(places)[1])

    assert trust.file.stat().st_size > 1024 * 1024
    assert trust.covers(*in_project(places))
    assert not trust.covers(*in_project(places, b"forgotten"))
    assert trust.damage() == ""


def test_what_a_full_disk_took_of_a_line_is_an_error(
    trust: Trust, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr("os.write", lambda file, line: write(file, line[:20]))
    with pytest.raises(StorageFailed, match="No space left"):
        trust.agree_to_project(1.0)
    monkeypatch.undo()

    trust.agree_to_project(2.0)
    assert trust.covers(*in_project(places))


AGREE = """
import sys
from pathlib import Path
from workflows.places import Places
from workflows.trust import Trust
name, folder = sys.argv[1], Path(sys.argv[2])
trust = Trust(Places(folder / "w", folder / "user", folder / "cache", folder / "state", folder / "catalog"))
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    trust.agree(folder / "w" / name, f"{name}-{number}", 1.0)
"""


def test_several_processes_may_agree_at_once(trust: Trust, tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", AGREE, name, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        for name in "abc"
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0

    digests = {agreement.digest for agreement in trust._agreements()}
    assert digests == {f"{name}-{number}" for name in "abc" for number in range(200)}
    assert trust.damage() == ""


def test_a_path_that_is_no_text_is_kept_all_the_same(trust: Trust, places: Places) -> None:
    path = places.project_workflows / "odd\udcff\n.py"
    trust.agree(path, DIGEST, 1.0)

    (kept,) = trust._agreements()
    assert kept == Agreement(1.0, str(places.workspace), str(path), DIGEST)
