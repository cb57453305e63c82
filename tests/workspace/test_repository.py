"""What counts in a repository, with real git."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.workspace.manifest import Manifest
from engine.workspace.survey import make_manifest, survey
from tests.workspace.repositories import FILE_PROTOCOL, git, new_repository, write

FIRST = {"src/a.py": "a", "b é.txt": "b", ".gitignore": "*.log\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "repository", FIRST)


def files(folder: Path) -> dict[str, str]:
    found = survey(folder)
    assert found.notes == []
    return dict(found.manifest.files)


def fingerprint(folder: Path) -> str:
    return survey(folder).manifest.fingerprint(None)


@pytest.mark.anyio
async def test_tracked_changed_untracked_and_ignored_files(repository: Path):
    write(repository, {"src/a.py": "changed", "new.txt": "new", "noise.log": "ignored", ".mco/run": "ours"})
    manifest = await make_manifest(repository)
    assert set(manifest.files) == {"src/a.py", "b é.txt", ".gitignore", "new.txt"}
    assert manifest.files["src/a.py"] == git(repository, "hash-object", "src/a.py")


def test_what_mco_keeps_never_counts_wherever_it_lies_and_even_when_it_was_committed(repository: Path):
    before = fingerprint(repository)
    write(repository, {".mco/workflows/x.py": "x", "src/.mco/runs/y": "y"})
    assert fingerprint(repository) == before
    git(repository, "add", "-f", ".mco", "src/.mco")
    assert fingerprint(repository) == before
    write(repository, {".mcore": "not ours"})
    assert fingerprint(repository) != before


def test_committing_a_change_alters_nothing(repository: Path):
    write(repository, {"src/a.py": "changed", "new.txt": "new"})
    (repository / "tool").write_text("#!")
    (repository / "tool").chmod(0o755)
    (repository / "link").symlink_to("tool")
    before = files(repository)
    git(repository, "add", ".")
    assert files(repository) == before
    git(repository, "commit", "-qm", "second")
    assert files(repository) == before


def test_committing_a_change_alters_nothing_where_git_counts_in_sha_256(tmp_path: Path):
    folder = new_repository(tmp_path / "new", {"a": "a"}, "--object-format=sha256")
    write(folder, {"a": "changed", "b": "new"})
    before = files(folder)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "second")
    assert files(folder) == before
    assert {len(content) for content in before.values()} == {64}


def test_a_touched_file_with_the_same_content_alters_nothing(repository: Path):
    before = fingerprint(repository)
    os.utime(repository / "src" / "a.py", (1, 1))
    assert fingerprint(repository) == before


def test_a_deleted_file_leaves_and_a_renamed_one_moves(repository: Path):
    content = files(repository)["src/a.py"]
    (repository / "src" / "a.py").rename(repository / "src" / "c.py")
    assert files(repository) == {**files(repository), "src/c.py": content}
    assert "src/a.py" not in files(repository)
    unstaged = fingerprint(repository)
    git(repository, "add", "-A")
    assert fingerprint(repository) == unstaged


def test_what_a_file_is_counts_beside_what_it_holds(repository: Path):
    before = files(repository)["src/a.py"]
    (repository / "src" / "a.py").chmod(0o755)
    assert files(repository)["src/a.py"] == f"{before}+x"
    (repository / "src" / "a.py").unlink()
    (repository / "src" / "a.py").symlink_to("a")
    assert files(repository)["src/a.py"] == f"{before}@"


def test_where_the_file_system_has_no_executable_bits_those_of_the_index_count(tmp_path: Path):
    folder = new_repository(tmp_path / "new", {"plain": "1"})
    (folder / "tool").write_text("#!")
    (folder / "tool").chmod(0o755)
    git(folder, "add", ".")
    git(folder, "config", "core.fileMode", "false")
    before = files(folder)
    for name in ("plain", "tool"):
        (folder / name).chmod(0o777 if name == "plain" else 0o644)
        (folder / name).write_text("changed")
    after = files(folder)
    assert before["tool"].endswith("+x")
    assert after["tool"].endswith("+x")
    assert not after["plain"].endswith("+x")


def test_a_folder_inside_a_repository_is_seen_from_there(repository: Path):
    write(repository, {"src/a.py": "changed", "new.txt": "new", "src/new.py": "x"})
    assert set(files(repository / "src")) == {"a.py", "new.py"}


def test_a_folder_that_its_repository_ignores_is_what_it_is_all_about(repository: Path):
    write(repository, {"build.log/x": "x"})
    assert set(files(repository / "build.log")) == {"x"}


def test_another_work_tree_of_the_same_repository_has_files_of_its_own(repository: Path, tmp_path: Path):
    git(repository, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    write(tmp_path / "other", {"src/a.py": "changed there"})
    assert files(tmp_path / "other").keys() == files(repository).keys()
    assert files(tmp_path / "other") != files(repository)


def test_of_a_conflict_what_lies_in_the_work_tree_counts(repository: Path):
    git(repository, "checkout", "-qb", "theirs")
    write(repository, {"src/a.py": "theirs"})
    git(repository, "commit", "-qam", "theirs")
    git(repository, "checkout", "-q", "main")
    write(repository, {"src/a.py": "ours"})
    git(repository, "commit", "-qam", "ours")
    with pytest.raises(Exception, match="merge"):
        git(repository, "merge", "-q", "theirs")
    assert files(repository)["src/a.py"] == git(repository, "hash-object", "src/a.py")
    (repository / "src" / "a.py").unlink()
    assert "src/a.py" not in files(repository)


def test_a_file_that_is_only_going_to_be_added_counts_by_its_bytes(repository: Path):
    write(repository, {"new.py": "new"})
    before = files(repository)
    git(repository, "add", "--intent-to-add", "new.py")
    assert files(repository) == before


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_an_agent_reads_what_is_there_even_where_git_was_told_not_to_look(repository: Path, flag: str):
    git(repository, "update-index", flag, "src/a.py")
    write(repository, {"src/a.py": "changed"})
    assert files(repository)["src/a.py"] == git(repository, "hash-object", "src/a.py")


def test_what_a_sparse_checkout_leaves_out_still_counts(tmp_path: Path):
    folder = new_repository(tmp_path / "new", {"in/a": "a", "out/b": "b", "out/deep/c": "c"})
    before = files(folder)
    git(folder, "sparse-checkout", "set", "--cone", "--sparse-index", "in")
    assert not (folder / "out").exists()
    assert files(folder) == before


def test_a_submodule_counts_by_its_own_files_and_what_is_not_there_by_its_commit(tmp_path: Path):
    inner = new_repository(tmp_path / "inner", {"i.py": "i"})
    middle = new_repository(tmp_path / "middle", {"m.py": "m"})
    git(middle, *FILE_PROTOCOL, "submodule", "--quiet", "add", str(inner), "deps/inner")
    git(middle, "commit", "-qm", "inner")
    outer = new_repository(tmp_path / "outer", {"o.py": "o"})
    git(outer, *FILE_PROTOCOL, "submodule", "--quiet", "add", str(middle), "middle")
    git(outer, "commit", "-qm", "middle")
    first = files(outer)
    assert set(first) == {".gitmodules", "o.py", "middle/.gitmodules", "middle/m.py", "middle/deps/inner"}
    assert first["middle/deps/inner"] == git(inner, "rev-parse", "HEAD") + "/"
    git(outer, *FILE_PROTOCOL, "submodule", "--quiet", "update", "--init", "--recursive")
    whole = files(outer)
    assert whole.keys() - first.keys() == {"middle/deps/inner/i.py"}
    write(outer, {"middle/deps/inner/i.py": "changed", "middle/new.py": "new"})
    changed = files(outer)
    assert {name for name in changed if changed[name] != whole.get(name)} == {
        "middle/deps/inner/i.py",
        "middle/new.py",
    }


def test_a_repository_inside_that_nobody_added_is_seen_as_one(repository: Path):
    new_repository(repository / "nested", {"n.py": "n", ".gitignore": "*.tmp\n", "ignored.tmp": ""})
    assert {"nested/n.py", "nested/.gitignore"} == {
        name for name in files(repository) if name.startswith("nested")
    }


def test_a_plain_folder_is_walked_and_repositories_in_it_are_asked(tmp_path: Path):
    folder = tmp_path / "plain"
    write(folder, {"a": "a", "sub/b": "b", ".mco/c": "c"})
    (folder / "empty").mkdir()
    new_repository(folder / "project", {"p.py": "p", ".gitignore": "*.tmp\n", "ignored.tmp": ""})
    assert set(files(folder)) == {"a", "sub/b", "project/p.py", "project/.gitignore"}


def test_links_are_not_followed(tmp_path: Path):
    outside = tmp_path / "outside"
    write(outside, {"secret": "s"})
    folder = tmp_path / "plain"
    write(folder, {"sub/x": "x"})
    (folder / "link").symlink_to(outside)
    (folder / "sub" / "file-link").symlink_to(outside / "secret")
    before = files(folder)
    assert set(before) == {"sub/x", "link", "sub/file-link"}
    write(outside, {"secret": "changed"})
    assert files(folder) == before


def test_a_tracked_file_behind_a_link_that_took_its_folders_place_is_not_read(
    repository: Path, tmp_path: Path
):
    write(tmp_path / "outside", {"a.py": "secret"})
    (repository / "src" / "a.py").unlink()
    (repository / "src").rmdir()
    (repository / "src").symlink_to(tmp_path / "outside")
    assert set(files(repository)) == {"b é.txt", ".gitignore", "src"}


def test_odd_names_are_names(tmp_path: Path):
    folder = new_repository(tmp_path / "new", {"a": "a"})
    odd = [
        b"new\nline",
        b"tab\there",
        b'quo"te',
        b"\xff\xfe",
        b" ",
        b"-n",
        b"A",
        b"caf\xc3\xa9",
        b"cafe\xcc\x81",
        b":x",
    ]
    for name in odd:
        (folder / os.fsdecode(name)).write_bytes(name)
    before = files(folder)
    assert {os.fsencode(name) for name in before} == {*odd, b"a"}
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "odd")
    assert files(folder) == before
    manifest = Manifest(before)
    assert Manifest.from_text(manifest.text).files == before


def test_a_clean_file_counts_by_what_git_keeps_of_it_and_a_changed_one_by_its_bytes(tmp_path: Path):
    folder = new_repository(tmp_path / "new", {"a.txt": "one\n", ".gitattributes": "*.txt text eol=crlf\n"})
    (folder / "a.txt").unlink()
    git(folder, "checkout", "-q", "a.txt")
    assert (folder / "a.txt").read_bytes() == b"one\r\n"
    assert files(folder)["a.txt"] == git(folder, "rev-parse", ":a.txt")
    (folder / "a.txt").write_bytes(b"two\r\n")
    assert files(folder)["a.txt"] == git(folder, "hash-object", "--no-filters", "a.txt")


def test_a_repository_that_git_does_not_read_is_walked_and_that_is_said(tmp_path: Path):
    folder = tmp_path / "broken"
    write(folder, {"a": "a", ".git/HEAD": "nonsense", "sub/.git": "gitdir: ../nowhere", "sub/b": "b"})
    found = survey(folder)
    assert set(found.manifest.files) == {"a", "sub/b"}
    assert len(found.notes) == 2
    assert "git does not read" in found.notes[0]


def test_without_git_a_repository_is_walked_and_that_is_said(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))
    write(repository, {"noise.log": "ignored"})
    found = survey(repository)
    assert set(found.manifest.files) == {"src/a.py", "b é.txt", ".gitignore", "noise.log"}
    (note,) = found.notes
    assert "every file there counts" in note


def test_a_repository_of_another_owner_is_walked_and_that_is_said(
    repository: Path, hermetic_environment: Path, monkeypatch: pytest.MonkeyPatch
):
    program = (
        hermetic_environment / "bin" / "git"
    )  # git's own words for it need another user; this one says them
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\necho \"fatal: detected dubious ownership in repository at '$PWD'\" >&2\nexit 128\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    (note,) = survey(repository).notes
    assert "dubious ownership" in note


def test_a_bare_repository_is_a_folder_like_any_other(repository: Path, tmp_path: Path):
    git(tmp_path, "clone", "-q", "--bare", str(repository), "bare.git")
    assert "HEAD" in files(tmp_path / "bare.git")
