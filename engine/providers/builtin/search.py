"""The task `search`: passages of local text files about a question, each quote checked word for word."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread

from engine.errors import StepFailed
from engine.providers.base import Progress, Report
from engine.providers.builtin.documents import kind_of, read_document
from engine.providers.builtin.index import Hit, is_below, is_damage, open_index, remove
from engine.providers.builtin.query import match_expression, terms_of
from engine.providers.builtin.ranking import Ranked, diverse, quote_of, rank
from engine.providers.builtin.targets import locate, relative_name
from engine.providers.builtin.tasks import SearchTask
from engine.step import digest_of
from engine.workspace.survey import make_manifest

CANDIDATES = 120


class Library:
    """The text files of workspaces, searchable. `folder` is where the indexes are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._one_at_a_time = anyio.Lock()  # searches of one run share an index: the first one builds it

    async def search(self, task: SearchTask, workspace: Path, report: Report) -> dict[str, Any]:
        """Up to `limit` sources for a query, the best first; `files_searched` says among how many files."""
        terms = terms_of(task.query)
        if not terms:
            raise StepFailed("unsupported", "the search query has no words in it", hint="ask with some words")
        root, below = _where(workspace, task.target)
        async with self._one_at_a_time:
            files = _searchable(root, (await make_manifest(root)).files, below)
            report(Progress("note", f"searching {len(files)} text files"))
            hits = await anyio.to_thread.run_sync(
                self._find, root, files, below, terms, anyio.from_thread.check_cancelled
            )
        sources = await anyio.to_thread.run_sync(_sources, root, rank(hits, terms), task.limit)
        return {
            "query": task.query,
            "sources": sources,
            "files_searched": len(files),
            "produced_by": "full-text search; no language model was used",
        }

    def _find(
        self,
        root: Path,
        files: Mapping[str, str],
        below: str,
        terms: list[str],
        checkpoint: Callable[[], None],
    ) -> list[Hit]:
        def look(path: Path | None) -> list[Hit]:
            with open_index(path) as index:
                index.update(root, files, below, checkpoint)
                return index.find(match_expression(terms), below, CANDIDATES)

        path = self._folder / f"search-{digest_of(str(root))[:16]}.sqlite3"
        try:
            return look(path)
        except (sqlite3.Error, OSError) as error:
            return look(path if is_damage(error) and _removed(path) else None)


def _where(workspace: Path, target: str) -> tuple[Path, str]:
    """The real path of the workspace, and the target relative to it; empty for the workspace itself."""
    root = workspace.resolve()
    found = locate(workspace, target)
    return root, "" if found == root else relative_name(root, found)


def _removed(path: Path) -> bool:
    try:
        remove(path)
    except OSError:
        return False
    return True


def _searchable(root: Path, files: Mapping[str, str], below: str) -> dict[str, str]:
    """The text files at or below a path. Links are passed over: what they point at has its own name, or is outside."""
    return {
        path: content
        for path, content in files.items()
        if kind_of(path) is not None and path.isprintable() and is_below(path, below)
        if not (root / path).is_symlink()
    }


def _sources(root: Path, ranked: list[Ranked], limit: int) -> list[dict[str, Any]]:
    sources: list[dict[str, Any]] = []
    for each in diverse(ranked):
        source = _source(root, each)
        if source is not None:
            sources.append(source)
        if len(sources) == limit:
            break
    return sources


def _source(root: Path, ranked: Ranked) -> dict[str, Any] | None:
    """One source with its quote; None when the words do not stand in the file as it is now."""
    hit, quote = ranked.hit, quote_of(ranked)
    document = read_document(root / hit.file)
    line = document.find(quote, hit.first) if document is not None else None
    if line is None:
        return None
    return {
        "file": hit.file,
        "line": line,
        "quote": quote,
        "score": round(ranked.score, 2),
        "heading": hit.heading,
    }
