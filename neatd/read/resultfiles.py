"""Result files that test runners leave in known places of a project: JUnit XML and pytest's cache.

Looking costs a few stats; nothing is opened before it changed. A file is known by a mark, its name with the hash of
what it holds, which the record of a run keeps as its origin. Links that lead out of the project are not followed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from neatd.errors import NeatError
from neatd.files import is_inside, read_small
from neatd.read import junit, pytestcache
from neatd.read.testcounts import Counts, merge

PYTEST_CACHE = ".pytest_cache"
_FILES = (
    "junit.xml", "report.xml", "test-results.xml", "test-report.xml", "results.xml", "pytest.xml", "test-results/junit.xml",
    "reports/junit.xml", "build/junit.xml", "target/nextest/default/junit.xml", "target/nextest/ci/junit.xml",
)  # fmt: skip
_FOLDERS = ("test-results", "build/test-results", "build/test-results/test", "target/surefire-reports")  # of *.xml
_MOST = 500  # files of one folder

Stamp = tuple[tuple[str, int, int], ...]  # of each file: path relative to the project, mtime in ns, size


class ResultFile(NamedTuple):
    """One result as it lies on the disk: a file, or the files of a folder that a runner writes together."""

    name: str
    stamp: Stamp

    @property
    def written_at(self) -> float:
        """Unix seconds of the last write."""
        return max(mtime for _, mtime, _ in self.stamp) / 1e9

    @property
    def begun_at(self) -> float:
        """Unix seconds of the first write: of pytest's cache with failures, when these were last news."""
        return min(mtime for _, mtime, _ in self.stamp) / 1e9


class Result(NamedTuple):
    """What was read of a result file."""

    file: ResultFile
    mark: str
    counts: Counts
    seconds: float | None = None
    known: int | None = None  # tests that pytest's cache knows


def result_files(root: Path) -> list[ResultFile]:
    """What lies in the known places now. About twenty stats."""
    found = [ResultFile(name, stamp) for name in _FILES if (stamp := _stamp(root, [name]))]
    singly = {file.name for file in found}
    for folder in _FOLDERS:
        names = [name for name in _xml_in(root, folder) if name not in singly]
        if stamp := _stamp(root, names):
            found.append(ResultFile(folder, stamp))
    cache = [f"{pytestcache.FOLDER}/{name}" for name in pytestcache.FILES]
    if stamp := _stamp(root, cache):
        found.append(ResultFile(PYTEST_CACHE, stamp))
    return found


def _xml_in(root: Path, folder: str) -> list[str]:
    try:
        with os.scandir(root / folder) as entries:
            names = [entry.name for entry, _ in zip(entries, range(10 * _MOST), strict=False)]
    except OSError:
        return []
    return [f"{folder}/{name}" for name in sorted(names) if name.endswith(".xml")][:_MOST]


def _stamp(root: Path, names: list[str]) -> Stamp:
    return tuple(_stamps(root, names))


def _stamps(root: Path, names: list[str]) -> Iterator[tuple[str, int, int]]:
    for name in names:
        try:
            # At every sweep of every project: plain text takes half the time of a path.
            stat = os.stat(f"{root}/{name}")  # noqa: PTH116
        except OSError:
            continue
        yield name, stat.st_mtime_ns, stat.st_size


def read_result(root: Path, file: ResultFile) -> Result:
    """Read what lies there. Raises NeatError for what is no test result or leads out of the project; OSError."""
    for name, _, _ in file.stamp:
        if not is_inside(root / name, root):
            raise NeatError(f"{root / name} leads out of the project", "test results are read inside of it only")
    if sum(size for _, _, size in file.stamp) > junit.LARGEST:
        raise NeatError(f"{root / file.name}: larger than {junit.LARGEST >> 20} MiB", "too much for test results")
    if file.name == PYTEST_CACHE:
        cache = pytestcache.read_cache(root)
        # Every session writes nodeids, mostly with the same content: the time belongs to the mark.
        return Result(file, f"{_mark(root, file)}@{file.stamp[-1][1]}", cache.counts, None, cache.known)
    parts = [junit.read_junit(root / name) for name, _, _ in file.stamp]
    counts = merge(part.counts for part in parts) or Counts()
    times = [part.seconds for part in parts if part.seconds is not None]
    return Result(file, _mark(root, file), counts, sum(times) if times else None)


def _mark(root: Path, file: ResultFile) -> str:
    """`junit.xml#sha256:…`, of all files where there are several."""
    digest = hashlib.sha256()
    for name, _, _ in file.stamp:
        digest.update(hashlib.sha256(read_small(root / name, junit.LARGEST)).digest())
    return f"{file.name}#sha256:{digest.hexdigest()[:32]}"


def changed(before: list[ResultFile], after: list[ResultFile]) -> list[ResultFile]:
    """What was written between two looks."""
    known = {file.name: file.stamp for file in before}
    return [file for file in after if known.get(file.name) != file.stamp]
