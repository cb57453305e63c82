from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import pytest

from engine.errors import StepFailed
from engine.providers.base import ProviderContext, Question
from engine.providers.builtin import BuiltinProvider, build, index, search
from engine.providers.builtin.index import Index
from engine.workspace.manifest import Manifest
from engine.workspace.survey import make_manifest

pytestmark = pytest.mark.anyio

GUIDE = """\
# Guide

- [Install](install.md)
- [Write-ahead logging](wal.md)
- [Checkpoints](checkpoints.md)

## Write-ahead logging

Readers do not block writers in write-ahead logging mode. A checkpoint copies
the log back into the database file. It does not work over a network filesystem,
because all processes must share memory.

## Something else

Bananas are yellow when they are ripe, and this paragraph is about nothing but bananas.
"""


def quotes(value: dict[str, Any]) -> list[str]:
    return [each["quote"] for each in value["sources"]]


async def test_a_question_finds_the_sentence_that_answers_it(ask: Any, write: Any) -> None:
    write("docs/guide.md", GUIDE)
    value = await ask(kind="search", query="Does write-ahead logging work over network filesystems?")
    source = value["sources"][0]
    assert source["file"] == "docs/guide.md"
    assert "over a network filesystem" in source["quote"]
    assert source["heading"] == "Write-ahead logging"
    assert source["line"] in (9, 10)
    assert value["files_searched"] == 1


async def test_every_quote_stands_in_its_file_word_for_word(ask: Any, write: Any, workspace: Path) -> None:
    write("guide.md", GUIDE)
    write(
        "app.py",
        '"""The database keeps a log."""\n\n\ndef checkpoint(database, log):\n    database.copy(log)\n',
    )
    value = await ask(kind="search", query="checkpoint copies the log into the database")
    assert len(value["sources"]) >= 2
    for source in value["sources"]:
        text = " ".join((workspace / source["file"]).read_text().split())
        assert " ".join(source["quote"].split()) in text


async def test_tables_of_contents_are_no_sources(ask: Any, write: Any) -> None:
    write("contents.md", "- [Write-ahead logging](wal.md)\n- [Checkpoint and log](checkpoint.md)\n")
    write("toc.txt", "Write-ahead logging ........ 12\nCheckpoint of the log ........ 14\n")
    value = await ask(kind="search", query="write-ahead logging checkpoint")
    assert value["sources"] == []
    assert value["files_searched"] == 2


async def test_nothing_is_found_when_nothing_is_there(ask: Any, write: Any) -> None:
    write("guide.md", GUIDE)
    assert (await ask(kind="search", query="quantum chromodynamics lattice"))["sources"] == []


@pytest.mark.parametrize(
    "query",
    [
        "bananas AND (",
        'bananas* NEAR("ripe" ^',
        "text:bananas -ripe yellow",
        "bananas'; DROP TABLE files; --",
    ],
)
async def test_a_query_is_words_and_never_syntax(query: str, ask: Any, write: Any) -> None:
    write("guide.md", GUIDE)
    value = await ask(kind="search", query=query + " yellow ripe")
    assert any("Bananas are yellow" in quote for quote in quotes(value))


async def test_a_query_without_words_is_refused(ask: Any, write: Any) -> None:
    write("guide.md", GUIDE)
    with pytest.raises(StepFailed, match="no words") as failed:
        await ask(kind="search", query='"?!"')
    assert failed.value.reason == "unsupported"


async def test_words_that_changed_since_they_were_indexed_are_not_quoted(
    ask: Any, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("guide.md", GUIDE)
    assert quotes(await ask(kind="search", query="yellow bananas ripe"))
    seen = await make_manifest(write("guide.md", GUIDE).parent)
    write("guide.md", GUIDE.replace("yellow", "purple"))

    async def stale(folder: Path) -> Manifest:
        return seen

    monkeypatch.setattr(search, "make_manifest", stale)
    assert quotes(await ask(kind="search", query="yellow bananas ripe")) == []


async def test_one_file_gives_two_sources_at_most_and_none_twice(ask: Any, write: Any) -> None:
    paragraphs = [
        "The cache of a shard is cleared at midnight, local time of the machine room.\n",
        "Whoever clears the cache by hand must first stop all writers to that shard.\n",
        "Clearing takes long: a cache with a million entries of one shard needs an hour.\n",
    ]
    write("many.md", "\n".join(paragraphs))
    same = "Answers in the cache are cleared when the key of the shard changes.\n"
    write("one.md", same)
    write("two.md", same)
    value = await ask(kind="search", query="when is the cache of a shard cleared")
    files = [each["file"] for each in value["sources"]]
    assert files.count("many.md") == 2
    assert ("one.md" in files) + ("two.md" in files) == 1


async def test_a_changed_file_is_found_as_it_is_now(ask: Any, write: Any, workspace: Path) -> None:
    write("guide.md", "The answer to the great question is forty-one, as everybody knows.\n")
    assert "forty-one" in quotes(await ask(kind="search", query="answer to the great question"))[0]
    write("guide.md", "The answer to the great question is forty-two, as everybody knows.\n")
    assert "forty-two" in quotes(await ask(kind="search", query="answer to the great question"))[0]
    (workspace / "guide.md").unlink()
    assert quotes(await ask(kind="search", query="answer to the great question")) == []


async def test_only_the_target_is_searched(ask: Any, write: Any) -> None:
    write("docs/guide.md", GUIDE)
    write("docs2/other.md", "Ripe bananas that are yellow are described in the other folder.\n")
    value = await ask(kind="search", query="yellow bananas ripe", target="docs")
    assert {each["file"] for each in value["sources"]} == {"docs/guide.md"}
    assert value["files_searched"] == 1


async def test_binary_huge_ignored_and_foreign_files_are_left_out(
    ask: Any, write: Any, workspace: Path, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "-q"], cwd=workspace, check=True)
    sentence = "Yellow bananas that are ripe taste best in the morning.\n"
    write(".gitignore", "ignored.md\n")
    write("ignored.md", sentence)
    write(".mco/runs/summary.md", sentence)
    (workspace / "binary.md").write_bytes(sentence.encode() + b"\0\xff")
    write("huge.md", sentence * 60_000)
    (tmp_path / "outside.md").write_text(sentence)
    (workspace / "link.md").symlink_to(tmp_path / "outside.md")
    assert quotes(await ask(kind="search", query="yellow ripe bananas")) == []


async def test_html_is_searched_and_quoted_as_people_read_it(ask: Any, write: Any) -> None:
    write(
        "page.html",
        "<html><script>var yellow = 'bananas ripe';</script>\n"
        "<p>Ripe <b>bananas</b> are\n yellow &amp; sweet today.</p>",
    )
    (source,) = (await ask(kind="search", query="ripe yellow bananas"))["sources"]
    assert source["quote"] == "Ripe bananas are yellow & sweet today."
    assert source["line"] == 2


async def test_a_corrupt_index_is_built_anew(ask: Any, write: Any, cache_folder: Path) -> None:
    write("guide.md", GUIDE)
    first = await ask(kind="search", query="yellow bananas ripe")
    (path,) = cache_folder.glob("*.sqlite3")
    path.write_bytes(b"this was a database once" * 1000)
    assert await ask(kind="search", query="yellow bananas ripe") == first
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM files").fetchone() == (1,)
    connection.close()


async def test_a_foreign_database_in_its_place_is_replaced(ask: Any, write: Any, cache_folder: Path) -> None:
    write("guide.md", GUIDE)
    first = await ask(kind="search", query="yellow bananas ripe")
    (path,) = cache_folder.glob("*.sqlite3")
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE files; DROP TABLE passages;")
    connection.close()
    assert await ask(kind="search", query="yellow bananas ripe") == first


async def test_a_cache_folder_that_takes_no_file_does_not_matter(
    workspace: Path, tmp_path: Path, write: Any
) -> None:
    write("guide.md", GUIDE)
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    provider = build(ProviderContext(name="builtin", workspace=workspace, cache_folder=blocked / "cache"))
    task = {"kind": "search", "query": "yellow bananas ripe"}
    answer = await provider.ask(Question(prompt="", task=task, workspace=workspace), lambda progress: None)
    assert answer.value["sources"]


async def test_two_providers_with_locks_of_their_own_build_one_index_without_harm(
    write: Any, workspace: Path, cache_folder: Path
) -> None:
    for number in range(80):
        write(
            f"docs/{number}.md",
            f"# Page {number}\n\nRipe banana number {number} is yellow, and so are the others.\n",
        )
    providers = [
        build(
            ProviderContext(
                name="builtin", workspace=workspace, cache_folder=cache_folder, environment=os.environ
            )
        )
        for _ in range(2)
    ]  # each has a lock of its own, as two processes would
    task = {"kind": "search", "query": "ripe banana yellow", "limit": 20}
    values: list[Any] = []

    async def look(provider: BuiltinProvider) -> None:
        question = Question(prompt="", task=task, workspace=workspace)
        values.append((await provider.ask(question, lambda progress: None)).value)

    async with anyio.create_task_group() as tasks:
        for provider in providers:
            tasks.start_soon(look, provider)
    assert values[0] == values[1]
    (path,) = cache_folder.glob("*.sqlite3")
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*), count(DISTINCT path) FROM files").fetchone() == (80, 80)
    connection.close()


async def test_a_cancelled_search_stops_between_files(
    provider: BuiltinProvider, workspace: Path, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        write(f"{number}.md", f"Page {number} says that ripe bananas are yellow and sweet.\n")
    learned: list[str] = []
    real = Index._learn

    async with anyio.create_task_group() as tasks:

        def learn(self: Index, root: Path, path: str, content: str) -> None:
            learned.append(path)
            if len(learned) == 100:
                anyio.from_thread.run_sync(tasks.cancel_scope.cancel)
            real(self, root, path, content)

        monkeypatch.setattr(index.Index, "_learn", learn)
        task = {"kind": "search", "query": "ripe bananas"}
        tasks.start_soon(
            provider.ask, Question(prompt="", task=task, workspace=workspace), lambda progress: None
        )
    assert len(learned) == 100
