"""A patch changes the files whole or not at all; what is hostile is refused before git sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import MCOError
from engine.worktree.application import Applied, PatchRefused, apply_patch
from engine.worktree.restoring import Safe
from engine.worktree.working_copy import WorkingCopy
from tests.worktree.conftest import git

ID = "0" * 39


def applied(repository: Path, data: bytes, *, markers: bool = False) -> Applied:
    safe = Safe(repository.parent / "safe")
    return apply_patch(repository, data, safe=safe, what="a patch", markers=markers)


def patch_of(workspace: Path, place: Path, change: str, name: str = "src/lines.txt") -> bytes:
    """The patch of an agent that replaced one line of the text."""
    copy = WorkingCopy.make(workspace, place / "tree", None, lambda _copy: None)
    path = copy.folder / name
    path.write_text(path.read_text().replace("line 20\n", f"{change}\n"))
    patch = copy.collect("someone")
    copy.remove()
    assert patch is not None
    return patch.data


def state(repository: Path) -> tuple[str, str]:
    return git(repository, "status", "--porcelain"), git(repository, "diff")


def test_it_is_applied_to_the_files_and_nothing_is_staged(repository: Path, place: Path) -> None:
    data = patch_of(repository, place, "changed")

    assert applied(repository, data).how == "clean"
    assert git(repository, "status", "--porcelain") == " M src/lines.txt\n"


def test_everything_comes_back_byte_for_byte(repository: Path, place: Path) -> None:
    copy = WorkingCopy.make(repository, place / "tree", None, lambda _copy: None)
    (copy.path / "src" / "lines.txt").rename(copy.path / "moved.txt")
    (copy.path / "data.bin").write_bytes(bytes(300))
    (copy.path / "run.sh").chmod(0o755)
    (copy.path / "link").unlink()
    (copy.path / "näme.txt").write_bytes(b"\xff\r\nno newline")
    patch = copy.collect("someone")
    assert patch is not None

    assert applied(repository, patch.data).how == "clean"
    for name in ("moved.txt", "data.bin", "näme.txt"):
        assert (repository / name).read_bytes() == (copy.path / name).read_bytes()
    assert (repository / "run.sh").stat().st_mode & 0o111
    assert not (repository / "link").is_symlink()
    assert not (repository / "src" / "lines.txt").exists()


def test_it_is_merged_with_what_has_changed_since_staged_or_not(repository: Path, place: Path) -> None:
    lines = repository / "src" / "lines.txt"
    data = patch_of(repository, place, "changed")
    lines.write_text("inserted\n" + lines.read_text().replace("line 17", "seventeen"))
    git(repository, "add", "--all")
    lines.write_text(lines.read_text().replace("line 38", "thirty-eight"))

    assert applied(repository, data).how == "merged"
    assert {"inserted", "seventeen", "changed", "thirty-eight"} <= set(lines.read_text().splitlines())
    assert "changed" not in git(repository, "diff", "--cached")


def test_with_conflicts_nothing_is_changed(repository: Path, place: Path) -> None:
    data = patch_of(repository, place, "changed")
    lines = repository / "src" / "lines.txt"
    lines.write_text(lines.read_text().replace("line 20", "mine"))
    before = state(repository)
    done = applied(repository, data)

    assert (done.how, done.conflicts) == ("conflicts", ("src/lines.txt",))
    assert state(repository) == before


def test_conflicts_are_marked_in_the_files_where_that_is_wanted(repository: Path, place: Path) -> None:
    data = patch_of(repository, place, "changed")
    lines = repository / "src" / "lines.txt"
    lines.write_text(lines.read_text().replace("line 20", "mine"))

    assert applied(repository, data, markers=True).how == "marked"
    assert "<<<<<<< ours\nmine\n=======\nchanged\n>>>>>>> theirs\n" in lines.read_text()
    assert git(repository, "ls-files", "--unmerged") == ""


def test_a_file_that_is_gone_is_said(repository: Path, place: Path) -> None:
    data = patch_of(repository, place, "changed")
    (repository / "src" / "lines.txt").unlink()
    done = applied(repository, data)

    assert done.how == "conflicts"
    assert "src/lines.txt" in done.why
    assert not (repository / "src" / "lines.txt").exists()


def test_a_file_that_is_there_by_now_is_not_overwritten(repository: Path, place: Path) -> None:
    copy = WorkingCopy.make(repository, place / "tree", None, lambda _copy: None)
    (copy.path / "new.txt").write_text("the agent's\n")
    patch = copy.collect("someone")
    assert patch is not None
    (repository / "new.txt").write_text("mine\n")

    assert applied(repository, patch.data).how == "conflicts"
    assert (repository / "new.txt").read_text() == "mine\n"


@pytest.mark.parametrize("driver", ["x", ""])
def test_no_program_of_the_repository_is_started(
    repository: Path, place: Path, tmp_path: Path, driver: str
) -> None:
    data = patch_of(repository, place, "changed")
    started = tmp_path / "started"
    for name in (f"filter.{driver}.clean", f"filter.{driver}.smudge", f"merge.{driver}.driver"):
        git(repository, "config", name, f"touch {started}; cat")
    (repository / ".gitattributes").write_text(f"* filter={driver} merge={driver}\n")
    lines = repository / "src" / "lines.txt"
    lines.write_text(lines.read_text().replace("line 17", "seventeen"))

    assert applied(repository, data).how == "merged"
    assert not started.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_what_the_disk_does_not_take_whole_changes_nothing(repository: Path, place: Path) -> None:
    copy = WorkingCopy.make(repository, place / "tree", None, lambda _copy: None)
    lines = copy.folder / "src" / "lines.txt"
    lines.write_text(lines.read_text().replace("line 20", "changed"))
    (copy.folder / "zz").mkdir()
    (copy.folder / "zz" / "large.txt").write_text("x" * 40_000 + "\n")
    (copy.folder / "link").unlink()
    patch = copy.collect("someone")
    assert patch is not None
    before = state(repository)
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from engine.errors import MCOError; from engine.worktree.application import apply_patch\n"
        "from engine.worktree.restoring import Safe\n"
        "data = Path(sys.argv[2]).read_bytes()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try: apply_patch(Path(sys.argv[1]), data, safe=Safe(Path(sys.argv[3])), what='a patch')\n"
        "except MCOError as error: print(error.what)\n"
    )
    (place / "patch").write_bytes(patch.data)
    done = subprocess.run(
        [sys.executable, "-c", program, str(repository), str(place / "patch"), str(place / "safe")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == "the patch could not be applied; nothing was changed\n", done.stderr
    assert state(repository) == before
    assert (repository / "link").is_symlink()
    assert applied(repository, patch.data).how == "clean"


def test_without_a_repository_it_says_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(MCOError, match="only be applied in a git repository"):
        applied(tmp_path, b"")


def test_a_repository_that_says_its_files_are_elsewhere_is_not_followed(
    repository: Path, place: Path, tmp_path: Path
) -> None:
    data = patch_of(repository, place, "changed")
    git(repository, "config", "core.worktree", str(tmp_path))
    with pytest.raises(MCOError, match="keeps its files elsewhere"):
        applied(repository, data)


def new_file(name: str, mode: str = "100644", content: str = "x") -> bytes:
    return (
        f"diff --git a/{name} b/{name}\nnew file mode {mode}\nindex {ID}0..{ID}1\n"
        f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+{content}\n\\ No newline at end of file\n"
    ).encode()


def relinked(header: str, target: str = "/etc") -> bytes:
    """A patch that makes the repository's link point elsewhere."""
    after = 1 + target.count("\n")
    return (
        f"diff --git a/link b/link\n{header}\n--- a/link\n+++ b/link\n@@ -1 +1,{after} @@\n"
        f"-run.sh\n\\ No newline at end of file\n+{target}\n\\ No newline at end of file\n"
    ).encode()


BINARY_LINK = (
    f"diff --git a/link b/link\nindex {ID}0..{ID}1 120000\nGIT binary patch\nliteral 4\n"
    "LcmdPbWZ(n<0e}Fl\n\nliteral 6\nNcmb1QN=r&*0006s0rdaV\n\n"
).encode()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (new_file("../out"), "leaves the workspace"),
        (new_file("a/../../out"), "leaves the workspace"),
        (new_file("/etc/out"), "leaves the workspace"),
        (new_file("a//b"), "leaves the workspace"),
        (new_file("..\\out"), "leaves the workspace"),
        (new_file(".git/hooks/pre-commit"), "not for agents to change"),
        (new_file("src/.GIT/config"), "not for agents to change"),
        (new_file("git~1/config"), "not for agents to change"),
        (new_file(".git./config"), "not for agents to change"),
        (new_file(".mco/config.toml"), "not for agents to change"),
        (new_file("folder-link/x"), "lies behind a link"),
        (new_file("out", "120000", "/etc/passwd"), "link out of the workspace"),
        (new_file("src/out", "120000", "../../x"), "link out of the workspace"),
        (new_file("out", "120000", "src/../.git/config"), "link out of the workspace"),
        (new_file("module", "160000"), "neither a file nor a link"),
        (new_file("device", "060000"), "neither a file nor a link"),
        (
            b"diff --git a/link b/src/l\nsimilarity index 100%\nrename from link\nrename to src/l\n",
            "is a link",
        ),
        (b"rm -rf\n", "is not what git writes there"),
        (relinked(f"index {ID}0..{ID}1"), "is not what git writes there"),
        (relinked(f"old mode 120000\nindex {ID}0..{ID}1"), "is not what git writes there"),
        (relinked(f"index {ID}0..{ID}1 120000"), "link out of the workspace"),
        (relinked(f"index {ID}0..{ID}1 120000", "/etc\n+x"), "link out of the workspace"),
        (BINARY_LINK, "link to nowhere"),
        (
            new_file("out", "120000", "/etc").replace(b"mode 120000", b"mode 100644\nnew mode 120000"),
            "is not what git writes there",
        ),
    ],
)
def test_what_no_patch_may_do_is_refused_before_anything_is_changed(
    repository: Path, tmp_path: Path, data: bytes, why: str
) -> None:
    (repository / "folder-link").symlink_to(tmp_path)
    before = state(repository)
    with pytest.raises(PatchRefused) as refused:
        applied(repository, data)

    assert why in str(refused.value.why)
    assert state(repository) == before


def test_a_link_that_stays_inside_is_taken(repository: Path) -> None:
    assert applied(repository, new_file("src/up", "120000", "../run.sh")).how == "clean"
    assert (repository / "src" / "up").readlink() == Path("../run.sh")


def test_a_workspace_below_the_top_takes_nothing_from_outside(repository: Path) -> None:
    with pytest.raises(PatchRefused, match="outside the workspace, which is src/"):
        applied(repository / "src", new_file("beside"))
    assert applied(repository / "src", new_file("src/inside")).how == "clean"
    assert (repository / "src" / "inside").read_text() == "x"
