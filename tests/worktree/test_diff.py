"""Patches are read strictly: what git writes is understood whole, and anything else is refused."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.worktree.diff import FileDiff, PatchUnreadable, Span, parse_patch

ID = "0" * 39
EDIT = f"""\
diff --git a/x.txt b/x.txt
index {ID}1..{ID}2 100644
--- a/x.txt
+++ b/x.txt
@@ -3,4 +3,4 @@ somewhere
 three
-four
+FOUR
 five
 six
"""


def one(text: str) -> FileDiff:
    (diff,) = parse_patch(text.encode())
    return diff


def test_an_edit_names_the_lines_of_the_file_as_it_was() -> None:
    diff = one(EDIT)

    assert (diff.path, diff.status, diff.spans) == ("x.txt", "changed", (Span(4, 4),))
    assert (diff.added, diff.removed) == (1, 1)


def test_an_insertion_stands_between_two_lines() -> None:
    diff = one(EDIT.replace("-four\n", " four\n").replace("@@ -3,4 +3,4 @@", "@@ -3,4 +3,5 @@"))

    assert diff.spans == (Span(5, 4),)


@pytest.mark.parametrize(
    ("header", "old", "new", "mode"),
    [
        (f"new file mode 100755\nindex {ID}0..{ID}1\n", None, "a b", "100755"),
        (f"deleted file mode 100644\nindex {ID}1..{ID}0\n", "a b", None, None),
        ("old mode 100644\nnew mode 100755\n", "a b", "a b", "100755"),
    ],
)
def test_headers_without_lines_are_read(
    header: str, old: str | None, new: str | None, mode: str | None
) -> None:
    diff = one(f"diff --git a/a b b/a b\n{header}")

    assert (diff.old, diff.new, diff.new_mode) == (old, new, mode)


def test_a_rename_has_both_names() -> None:
    diff = one(
        'diff --git a/old b/new\nsimilarity index 100%\nrename from old\nrename to "n\\303\\251w\\t"\n'
    )

    assert (diff.old, diff.new, diff.status) == ("old", "néw\t", "renamed")


@pytest.mark.parametrize(
    "text",
    [
        "not a patch\n",
        EDIT[:-1],
        EDIT.replace("index", "Index"),
        EDIT.replace("--- a/x.txt", "--- a/y.txt"),
        EDIT.replace("+++ b/x.txt", "+++ /etc/passwd"),
        EDIT.replace("diff --git a/x.txt b/x.txt", "diff --git a/x.txt b/y.txt"),
        EDIT.replace("diff --git a/x.txt b/x.txt", "diff --git x.txt x.txt"),
        EDIT.replace("@@ -3,4 +3,4 @@", "@@ -3,9 +3,9 @@"),
        EDIT.replace("@@ -3,4 +3,4 @@", "@@ -3,2 +3,2 @@"),
        EDIT.replace("-four", "*four"),
        EDIT + "a line of somebody else\n",
        EDIT.replace("index", "rename from x.txt\nindex"),
        EDIT.replace("index", "old mode 100644\nold mode 100644\nindex"),
        'diff --git "a/x\\9" "b/x\\9"\n',
        'diff --git "a/x\\000" "b/x\\000"\n',
        "diff --git a/x b/x\nGIT binary patch\nliteral 1\n",
        "From: somebody\n" + EDIT,
    ],
)
def test_whatever_git_would_not_write_is_refused(text: str) -> None:
    with pytest.raises(PatchUnreadable):
        parse_patch(text.encode())


LINES = st.lists(
    st.sampled_from(["a", "b", "", "+", "-x", "--- a/f", "@@ -1 +1 @@", "diff --git a/f b/f", "\\"])
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=LINES, after=LINES, torn=st.booleans())
def test_whatever_git_writes_is_read_with_its_own_counts(
    tmp_path: Path, before: list[str], after: list[str], torn: bool
) -> None:
    for name, lines in (("old", before), ("new", after)):
        text = "".join(f"{line}\n" for line in lines)
        (tmp_path / name).write_text(text.removesuffix("\n") if torn else text)
    diff = ["git", "diff", "--no-index", "--no-prefix", "--full-index", "--binary"]
    found = subprocess.run([*diff, "old", "new"], cwd=tmp_path, capture_output=True, check=False)
    data = found.stdout.replace(b"diff --git old new", b"diff --git a/f b/f", 1)
    data = data.replace(b"--- old\n", b"--- a/f\n", 1).replace(b"+++ new\n", b"+++ b/f\n", 1)
    counted = subprocess.run(
        [*diff[:3], "--numstat", "old", "new"], cwd=tmp_path, capture_output=True, check=False
    )

    files = [(file.added, file.removed) for file in parse_patch(data)]
    assert files == [tuple(map(int, line.split()[:2])) for line in counted.stdout.splitlines()]
