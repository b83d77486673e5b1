"""What code a run stood on, by its commit: the files that compute metrics, and how two commits differ.

Takes no lock of git's, fetches nothing, runs nothing that a repository names. What a commit holds never changes, so the
answers may be kept for ever. "" is the answer wherever git has none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from neatd.read.gitrun import git_output

_COMMIT = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")
_OURS = re.compile(r"^(?:\.neat/|neat\.yaml$)")
_WORDS = re.compile(r"(?<![a-z])(?:metrics?|evals?|evaluat[a-z]*|scor(?:e|es|er|ing))(?![a-z])", re.I)
_CODE = (".py", ".pyx", ".ipynb", ".sh", ".cu", ".cpp", ".cc", ".c", ".jl", ".rs", ".go", ".lua", ".r", ".m")
_TEST = re.compile(r"(?:^|/)(?:tests?|testing)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.[a-z]+$", re.I)
MOST_NAMED = 3


def is_commit(text: str) -> bool:
    """Whether `text` is a whole commit name: nothing else is handed to git."""
    return _COMMIT.match(text) is not None


def is_metric_code(path: str) -> bool:
    """Whether a file's name says that it computes metrics: eval.py, src/metrics/dice.py; not the tests of it."""
    folder, _, name = path.rpartition("/")
    return (
        name.lower().endswith(_CODE)
        and not _TEST.search(path)
        and bool(_WORDS.search(name.rpartition(".")[0]) or _WORDS.search(folder.rpartition("/")[2]))
    )


def present(root: Path, commits: Iterable[str]) -> frozenset[str]:
    """Those of `commits` that this repository has. One process for any number."""
    asked = [one for one in commits if is_commit(one)]
    if not asked:
        return frozenset()
    text = _git(root, ["cat-file", "--batch-check=%(objectname) %(objecttype)"], "".join(f"{c}\n" for c in asked))
    return frozenset(line.partition(" ")[0] for line in text.splitlines() if line.endswith(" commit"))


def metric_code(root: Path, commit: str) -> str:
    """Hash of the names and contents of the tracked files below `root` that compute metrics; "" when there are none."""
    listing = _git(root, ["ls-tree", "-r", "-z", commit]) if is_commit(commit) else ""
    digest, count = hashlib.sha256(), 0
    for entry in listing.split("\0"):
        about, _, path = entry.partition("\t")
        if about[7:12] == "blob " and is_metric_code(path):
            digest.update(f"{about[12:]} {path}\n".encode())
            count += 1
    return digest.hexdigest() if count else ""


def difference(root: Path, before: str, after: str) -> str:
    """What changed below `root` between two commits, shortened: "3 files, +20 -5: train.py, model.py, …"."""
    if not (is_commit(before) and is_commit(after)) or before == after:
        return ""
    words = ["diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--relative"]
    files = [_counted(line) for line in _git(root, [*words, before, after, "--", "."]).split("\0") if line]
    files = [one for one in files if not _OURS.match(one[2])]
    if not files:
        return ""
    named = [path for _, _, path in sorted(files, key=lambda one: -(one[0] + one[1]))]
    added, removed = sum(one[0] for one in files), sum(one[1] for one in files)
    count = f"{len(files)} file{'s' * (len(files) > 1)}, +{added} -{removed}"
    return f"{count}: {', '.join(named[:MOST_NAMED])}{', …' * (len(named) > MOST_NAMED)}"


def _counted(line: str) -> tuple[int, int, str]:
    """(lines added, removed, path); a binary file counts none."""
    added, removed, path = line.split("\t", 2)
    return int(added) if added.isdigit() else 0, int(removed) if removed.isdigit() else 0, path


def _git(root: Path, words: list[str], given: str = "") -> str:
    """What git prints; "" when it is missing, refuses or takes too long."""
    return (git_output(root, words, given) or b"").decode("utf-8", "replace")
