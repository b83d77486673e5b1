"""Finds runs and their sources: by names, and by a look at the head of a file whose name is no proof.

`walking` goes through the folders, `naming` and `sniff` say what a file is, `placing` of which run; this joins them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from neatd.read.listing import File, Listing
from neatd.read.naming import METRICS, PREDICTIONS, SOURCES, Parts, may_be_source, turn
from neatd.read.placed import Placed
from neatd.read.placing import DATABASE, TEXT, Held, Source, Spot, are_needed, is_split_name, place, taken_for_consoles
from neatd.read.quick import Quick, stamp
from neatd.read.walking import Walk

if TYPE_CHECKING:  # who only asks for names loads no parser
    from neatd.read.heads import Heads

__all__ = ["METRICS", "PREDICTIONS", "SOURCES", "Survey", "is_source", "sources_in", "survey"]
QUICK_READS, QUICK_S = 20, 0.02
CLOCK_S = 1.0  # a folder's time is no finer than its file system's ticks
_NOTHING = Held()
_NO_ANCHOR = frozenset({TEXT, DATABASE, "optuna_journal", "mlflow"})


class Survey(NamedTuple):
    """What one walk through a project found."""

    runs: tuple[Path, ...]  # folders that hold a source or whose parts do, in walking order; no databases
    folders: tuple[Path, ...]  # every folder that was entered
    unreadable: tuple[Path, ...]
    is_capped: bool  # depth or number of folders ran out
    sources: tuple[Placed, ...] = ()  # of all runs, run by run; files of one stream oldest first
    notes: tuple[str, ...] = ()  # what was passed over, in the same words at each survey
    consoles: tuple[tuple[str, str], ...] = ()  # (log, run): logs that are taken for the console of that run
    is_unfinished: bool = False  # heads were left for the next survey, which should come soon


def survey(
    root: Path,
    ignore: tuple[str, ...] = (),
    include: tuple[str, ...] = (),
    depth: int = 8,
    most: int = 20_000,
    heads: Heads | None = None,
) -> Survey:
    """Walk `root` breadth first. `ignore` holds folder names or globs relative to root; `include` lifts built-in ones.

    `heads` remembers what was looked into: give the same one each time.
    """
    heads = heads if heads is not None else _new_heads()
    heads.begin()
    walk = Walk(root, ignore, include)
    is_capped = walk.through(depth, most)
    walk.through_remote(len(walk.listings) + most)
    within = _Found(walk.listings, heads, include=include)
    found = within.placed(root, heads.path)
    if not is_capped and not heads.is_short:
        heads.forget_unseen()
    notes = [note for one in walk.listings for note in one.notes]
    if heads.is_full:
        notes.append(
            "too many files that may hold metrics: new ones are not looked at; name their folders in watch.ignore"
        )
    runs = dict.fromkeys(one.folder for one in found if one.format != DATABASE)
    entered = tuple(heads.path(one.path) for one in walk.listings)
    return Survey(
        tuple(runs), entered, tuple(walk.unreadable), is_capped, tuple(found), tuple(notes), tuple(within.consoles),
        heads.is_short,
    )  # fmt: skip


def sources_in(
    root: Path, folder: Path, heads: Heads, ignore: tuple[str, ...] = (), include: tuple[str, ...] = ()
) -> tuple[Placed, ...]:
    """The sources of the known run in `folder` now: a quick look at it and at the folders of its trackers.

    Says nothing of other runs; a folder that is gone, or a database, holds none.
    """
    key = (str(folder), ignore, include)
    last = heads.quick.get(key)
    if last is not None and last.holds():
        return last.sources
    heads.renew(QUICK_READS, QUICK_S)
    begun = time.time()
    walk = Walk(root, ignore, include)
    walk.down_from(folder)
    stamps = {one.path: stamp(one.path) for one in walk.listings}
    within = _Found(walk.listings, heads, folder.relative_to(root).parts, include)
    found = tuple(one for one in within.placed(root) if one.folder == folder)
    newest = max((at[0] for at in stamps.values() if at), default=0)
    if (
        newest < (begun - CLOCK_S) * 1e9 and not heads.is_spent
    ):  # else a file may come within the same tick of the folder's time
        heads.remember(key, Quick(tuple({**stamps, **within.doubtful()}.items()), found))
    return found


def is_source(path: Path) -> bool:
    """Whether a path may be a source by its names: what a hint is worth. Cheap; the survey tells for certain."""
    return may_be_source(path.parts[:-1], path.name)


def _new_heads() -> Heads:
    from neatd.read.heads import Heads

    return Heads()


class _Found:
    """The sources in listed folders, and what those folders hold."""

    def __init__(
        self, listings: Iterable[Listing], heads: Heads, known: Parts | None = None, include: tuple[str, ...] = ()
    ) -> None:
        self._heads, self._include = heads, frozenset(include)
        self.consoles: list[tuple[str, str]] = []
        self._files = {one.parts: [*_with_formats(one.files, heads)] for one in listings}
        self._listings = {one.parts: one for one in listings}
        self._known = known  # a run by what was found before
        self._held: dict[Parts, Held] = {}
        self._splits: dict[Parts, int] = {}
        for parts, files in self._files.items():
            if parts and is_split_name(parts[-1]) and any(format == "tensorboard" for _, format in files):
                self._splits[parts[:-1]] = self._splits.get(parts[:-1], 0) + 1

    def doubtful(self) -> dict[str, tuple[int, int] | None]:
        """The files in which nothing was found so far, as they are now."""
        taken = {file.path for files in self._files.values() for file, _ in files}
        files = [file for one in self._listings.values() for file in one.files if file.path not in taken]
        return {one.path: stamp(one.path) for one in files if not self._heads.is_settled(one.path)}

    def held(self, parts: Parts) -> Held:
        """What a folder holds; nothing, where none was listed."""
        found = self._held.get(parts)
        if found is None:
            listing = self._listings.get(parts)
            formats = frozenset(format for _, format in self._files.get(parts, ())) - _NO_ANCHOR
            found = listing.held(formats, self._splits.get(parts, 0)) if listing else _NOTHING
            if parts == self._known:
                found = found._replace(has_metrics=True)
            self._held[parts] = found
        return found

    def placed(self, root: Path, paths: Callable[[str], Path] = Path) -> list[Placed]:
        """Every source, run by run in walking order, the files of a stream oldest first."""
        found: list[tuple[Spot, File, str]] = []
        for parts, files in self._files.items():
            found += [(place(parts, file.name, format, self.held), file, format) for file, format in files]
        sources = [Source(spot, format == TEXT) for spot, _, format in found]
        around = [parts for parts, files in self._files.items() for _ in files]

        def written(n: int) -> float:
            return _written(found[n][1])

        def path_of(n: int) -> str:
            return "/".join((*around[n], found[n][1].name))

        needed = are_needed(sources, written, lambda n: bool(self._include) and path_of(n) in self._include)
        dropped = taken_for_consoles(sources, needed, written)
        self.consoles = [(path_of(n), "/".join(found[of][0].run) or "the project's own folder") for n, of in dropped]
        kept = [one for one, is_needed in zip(found, needed, strict=True) if is_needed]
        streams: dict[tuple[Parts, str], list[tuple[Spot, File, str]]] = {}
        for one in kept:
            streams.setdefault((one[0].run, one[0].stream), []).append(one)
        folders = {
            run: root.joinpath(*run) if run not in self._listings else paths(self._listings[run].path)
            for run, _ in streams
        }
        return [
            Placed(paths(file.path), folders[spot.run], spot.stream, format, spot.label)
            for at in sorted(streams, key=lambda at: (len(at[0]), at))
            for spot, file, format in _in_turn(streams[at])
        ]


def _written(file: File) -> float:
    about = file.about()
    return about.st_mtime if about else 0.0


def _in_turn(files: list[tuple[Spot, File, str]]) -> list[tuple[Spot, File, str]]:
    return files if len(files) == 1 else sorted(files, key=lambda one: turn(one[1].path))


def _with_formats(files: Iterable[File], heads: Heads) -> Iterable[tuple[File, str]]:
    for one in files:
        format = one.named.formats[0] if one.named.is_certain else heads.format_of(one)
        if format:
            yield one, format
