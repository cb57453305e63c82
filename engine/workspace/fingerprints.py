"""What the steps of one run read: the manifest that it goes by, made when a step needs it and kept with the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import anyio
import anyio.to_thread

from engine.errors import StorageFailed
from engine.step import Step

if TYPE_CHECKING:
    from engine.workspace.kept import ManifestEntry
    from engine.workspace.manifest import Manifest


class Where(NamedTuple):
    """The places that a run's manifests have to do with; `cache` is the workspace's part of the user's cache folder.

    `parent` is the folder of the run that is taken up again. `script` is the run's own, which is no part of what its
    steps read: to edit it must not change every step.
    """

    workspace: Path
    state: Path
    run: Path
    cache: Path
    parent: Path | None = None
    script: Path | None = None

    @property
    def contents(self) -> Path:
        """Where ids of contents are remembered: outside the workspace, so that no repository brings them along."""
        return self.cache / "contents"

    @property
    def left_out(self) -> frozenset[str]:
        """The files that do not count, by their names in the workspace."""
        root = self.workspace.resolve()
        if self.script is None or not self.script.is_relative_to(root):
            return frozenset()
        return frozenset({self.script.relative_to(root).as_posix()})


class Seen(NamedTuple):
    """What a step reads at one time: its fingerprint, and the digest of the kept manifest behind that.

    Both are None for a step that reads nothing; the digest also when the manifest could not be kept.
    """

    fingerprint: str | None = None
    manifest: str | None = None


class _View(NamedTuple):
    """The files at one time, and where they are listed."""

    manifest: Manifest
    entry: ManifestEntry


_NOTHING = (Seen(),)


class WorkspaceFingerprints:
    """The fingerprints of one run's steps. `warn` hears what people should know; `clock` is epoch seconds.

    A resumed run looks at the files as its parent saw them first: finished steps are found again although files have
    changed since. What it has to ask for is asked of the files as they are, and says so.
    """

    def __init__(self, where: Where, *, clock: Callable[[], float], warn: Callable[[str], object]) -> None:
        self._where = where
        self._clock = clock
        self._warn = warn
        self._views: list[_View] = []
        self._seen: dict[tuple[str, ...] | None, tuple[Seen, ...]] = {}
        self._listed: list[ManifestEntry] = []
        self._kept: set[str] = set()
        self._after: str | None = None
        self._inherits = where.parent is not None
        self._changes = 0
        self._making = anyio.Lock()

    def known(self, step: Step) -> bool:
        """Whether `seen` can answer at once: the manifests are there, or the step reads nothing."""
        return step.reads == () or bool(self._views)

    def seen(self, step: Step) -> tuple[Seen, ...]:
        """What a step reads, as earlier runs saw it and, last, as it is now. `prepare` comes before."""
        if step.reads == ():
            return _NOTHING
        if not self._views:
            raise RuntimeError("the manifest was not made")
        found = self._seen.get(step.reads)
        if found is None:
            found = self._seen[step.reads] = tuple(self._as_seen(step))
        return found

    def _as_seen(self, step: Step) -> Iterator[Seen]:
        fingerprints = [view.manifest.fingerprint(step.reads) for view in self._views]
        for place, (view, fingerprint) in enumerate(zip(self._views, fingerprints, strict=True)):
            if fingerprint not in fingerprints[place + 1 :]:
                digest = view.entry.digest
                yield Seen(fingerprint, digest if digest in self._kept else None)

    def forget(self, writer: str) -> None:
        """The step with this key may have changed files: what they hold must be looked at again."""
        self._forget(writer, inherits=False)

    def follow(self, writer: str) -> None:
        """The step with this key changed files in the parent run: what the parent saw then is seen now."""
        self._forget(writer, inherits=self._where.parent is not None)

    def _forget(self, writer: str, *, inherits: bool) -> None:
        self._views = []
        self._seen = {}
        self._after = writer
        self._inherits = inherits
        self._changes += 1

    async def prepare(self) -> None:
        """Make the manifests, unless they are there."""
        async with self._making:
            while not self._views:
                changes = self._changes
                views, notes = await anyio.to_thread.run_sync(self._look, abandon_on_cancel=True)
                if changes != self._changes:  # somebody wrote while it was made
                    continue
                notes += await anyio.to_thread.run_sync(self._keep, views)
                for note in notes:
                    self._warn(note)
                if changes == self._changes:
                    self._views = views

    def _look(self) -> tuple[list[_View], list[str]]:
        from engine.workspace.survey import survey  # a run that reads no files does not load what reads them

        earlier, notes = self._inherited() if self._inherits else ([], [])
        made_at = self._clock()
        made = survey(self._where.workspace, self._where.contents, self._clock, self._where.left_out)
        now = self._view(made.manifest, made_at)
        changed = [view for view in earlier if view.entry.digest != now.entry.digest]
        return [*changed, now], [*notes, *made.notes, *self._difference(earlier, made.manifest)]

    def _view(self, manifest: Manifest, made_at: float) -> _View:
        from engine.workspace.kept import ManifestEntry

        files = len(manifest.files)
        return _View(
            manifest, ManifestEntry(digest=manifest.digest, made_at=made_at, files=files, after=self._after)
        )

    def _difference(self, earlier: list[_View], now: Manifest) -> list[str]:
        """That files have changed since the parent looked last, for people."""
        if not earlier or earlier[-1].manifest.digest == now.digest or self._where.parent is None:
            return []
        from engine.workspace.changes import changed_names, describe

        names = describe(changed_names(earlier[-1].manifest, now, None))
        since = f"files have changed since run {self._where.parent.name} ({names})"
        return [
            f"{since}: its finished steps stand as they are, and steps that run now see the files as they are now"
        ]

    def _inherited(self) -> tuple[list[_View], list[str]]:
        """The parent's manifests for this moment. Where it needed none, the files as they are now are as good."""
        from engine.workspace.kept import ManifestsDamaged, load_manifest, read_entries

        parent = self._where.parent
        if parent is None:
            return [], []
        lost = [
            f"what run {parent.name} knew of the files cannot be read: its steps are looked for as they are now"
        ]
        try:
            entries = [entry for entry in read_entries(parent) if entry.after == self._after]
        except ManifestsDamaged:
            return [], lost
        found = [(load_manifest(self._where.state, entry.digest), entry) for entry in entries]
        views = [_View(manifest, entry) for manifest, entry in found if manifest is not None]
        return views, lost if len(views) < len(entries) else []

    def _keep(self, views: list[_View]) -> list[str]:
        """Keep them with the run. A full disk costs later explanations and a resume's reuse, not the run."""
        from engine.workspace.kept import keep_manifest, write_entries

        entries = [view.entry for view in views]
        try:
            for view in views:
                keep_manifest(self._where.state, view.manifest)
            write_entries(self._where.run, [*self._listed, *entries])
        except StorageFailed as error:
            return [f"the list of the files could not be kept with the run: {error}"]
        self._listed += entries
        self._kept |= {entry.digest for entry in entries}
        return []
