"""What is known of the code of the runs of a project, by commit: kept in NEAT_HOME, because a commit never changes.

Only a cache: a damaged or missing file is filled again, a bounded number of git's processes at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from neatd.files import read_small, write_atomic
from neatd.models import GitState
from neatd.read.gitcode import MOST_NAMED, difference, is_metric_code, metric_code, present

MOST_ASKED = 200  # of git's processes for one table, 5 ms each; the next table asks for the rest
LARGEST = 16 << 20
_memory: dict[Path, dict[str, str]] = {}  # of the processes that live on, by project folder
MOST_KEPT = 50_000


class CodeBook:
    """Answers about commits. Everything is "" outside of git and for commits that this clone does not have."""

    def __init__(self, root: Path, path: Path | None = None) -> None:
        self.root = root
        self.path = path
        self._known = _memory.setdefault(root, {})
        if path is not None and not self._known:
            self._known.update(_read(path))
        self._present: frozenset[str] = frozenset()
        self._asked = 0
        self._is_new = False

    def prepare(self, commits: Iterable[str]) -> None:
        """Learn which of these commits are here; those that are not are not asked about."""
        unknown = {one for one in commits if one and f"metric {one}" not in self._known}
        self._present = present(self.root, unknown) if unknown else frozenset()

    def metric_code(self, git: GitState) -> str:
        """The hash of a run's metric code; "" when that was changed and not committed."""
        if any(is_metric_code(path) for path in git.dirty):
            return ""
        key = f"metric {git.commit}"
        if key not in self._known and git.commit in self._present and self._may_ask():
            self._keep(key, metric_code(self.root, git.commit))
        return self._known.get(key, "")

    def difference(self, base: GitState, git: GitState) -> str:
        """How a run's code differs from the baseline's, its uncommitted changes among it."""
        parts = []
        if base.commit and git.commit and base.commit != git.commit:
            parts.append(f"commit {git.commit[:8]}{self._diff(base.commit, git.commit)}")
        if git.dirty:
            more = f" and {len(git.dirty) - MOST_NAMED} more" if len(git.dirty) > MOST_NAMED else ""
            parts.append(f"uncommitted: {', '.join(git.dirty[:MOST_NAMED])}{more}")
        return "; ".join(parts)

    def _diff(self, before: str, after: str) -> str:
        key = f"{before} {after}"
        are_here = all(one in self._present or f"metric {one}" in self._known for one in (before, after))
        if key not in self._known and are_here and self._may_ask():
            self._keep(key, difference(self.root, before, after))
        found = self._known.get(key, "")
        return f" ({found})" if found else ""

    def _may_ask(self) -> bool:
        self._asked += 1
        return self._asked <= MOST_ASKED

    def _keep(self, key: str, value: str) -> None:
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[key], self._is_new = value, True

    def save(self) -> None:
        """Keep what is new for the next process. Two that write at once lose nothing but time."""
        if self._is_new and self.path is not None:
            write_atomic(self.path, json.dumps(self._known).encode())
            self._is_new = False


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(read_small(path, LARGEST))
    except (OSError, ValueError):
        return {}
    is_ours = isinstance(found, dict) and all(isinstance(one, str) for one in found.values())
    return found if is_ours else {}
