"""git's log of HEAD: which of its lines are commits that were made here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neatd.read import headlog
from neatd.read.headlog import log_path, log_size, made_since, repository_top, worktrees_beside
from tests.repos_made import commit, git, make_repo

OLD, NEW = "a" * 40, "b" * 40


def log(folder: Path, *lines: str | bytes) -> Path:
    """A repository on paper, whose log holds these lines."""
    path = folder / ".git" / "logs" / "HEAD"
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f"{OLD} {NEW} A B <a@b> 1700000000 +0200\t"
    raw = (one if isinstance(one, bytes) else os.fsencode(f"{start}{one}\n") for one in lines)
    path.write_bytes(b"".join(raw))
    return path


KINDS = {
    "commit: x": True, "commit (initial): x": True, "commit (amend): x": True, "commit (merge): x": True,
    "cherry-pick: x": True, "revert: Revert x": True, "am: x": True, "merge side: Merge made by the 'ort' strategy.": True,
    "rebase (reword): x": True, "rebase -i (squash): x": True, "commit: fast-forward": True,
    "merge side: Fast-forward": False, "cherry-pick: fast-forward": False, "pull: Fast-forward": False,
    "pull: Merge made by the 'ort' strategy.": False, "checkout: moving from a to b": False, "reset: moving to HEAD~1": False,
    "clone: from x": False, "rebase (start): checkout main": False, "rebase (finish): returning to refs/heads/x": False,
    "pull --rebase (start): checkout x": False, "Branch: renamed a to b": False, "no colon at all": False,
}  # fmt: skip


@pytest.mark.parametrize(("line", "is_made"), KINDS.items(), ids=KINDS)
def test_only_what_was_made_here_is_a_commit(tmp_path: Path, line: str, is_made: bool) -> None:
    """What a pull, a checkout or a reset brought was made elsewhere, or before."""
    log(tmp_path, line)
    assert bool(made_since(tmp_path, 0)[0]) == is_made


@pytest.mark.parametrize("line", ["rebase (pick): x", "pull --rebase (pick): x", "rebase -i (pick): x"])
def test_a_picked_commit_is_said_to_be_an_older_one(tmp_path: Path, line: str) -> None:
    """Whatever rebased it."""
    log(tmp_path, line)
    (one,) = made_since(tmp_path, 0)[0]
    assert (one.is_picked, one.subject, one.action) == (True, "x", "rebase")


def test_a_line_tells_the_commit_its_moment_and_its_subject(tmp_path: Path) -> None:
    """And what an amended one replaces."""
    log(tmp_path, "commit (amend): say: what > it\tis")
    assert made_since(tmp_path, 0)[0] == [headlog.Made(NEW, 1_700_000_000, "say: what > it\tis", OLD)]


def test_each_line_is_told_once(tmp_path: Path) -> None:
    """A line that is being written is left for the next look."""
    path = log(tmp_path, "commit: one")
    made, end = made_since(tmp_path, 0)
    assert len(made) == 1 and end == log_size(tmp_path) == path.stat().st_size
    line = f"{OLD} {NEW} A <a> 1 +0000\tcommit: two"
    path.write_bytes(path.read_bytes() + line.encode("utf-8", "surrogateescape"))
    assert made_since(tmp_path, end) == ([], end)
    path.write_bytes(path.read_bytes() + b"\n")
    assert [one.subject for one in made_since(tmp_path, end)[0]] == ["two"]


def test_a_log_that_was_cut_short_is_read_anew(tmp_path: Path) -> None:
    """As `git reflog expire` leaves it."""
    log(tmp_path, "commit: one", "commit: two")
    end = log_size(tmp_path)
    path = log(tmp_path, "commit: two")
    made, now = made_since(tmp_path, end)
    assert [one.subject for one in made] == ["two"] and now == path.stat().st_size


def test_of_a_long_log_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first line, which is cut, is none."""
    monkeypatch.setattr(headlog, "LARGEST_TURN", 400)
    path = log(tmp_path, *(f"commit: {n}" for n in range(100)))
    made, end = made_since(tmp_path, 0)
    assert made[-1].subject == "99" and len(made) == 3 and end == path.stat().st_size


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"garbage\n", b"\xff\xfe\x00\n", b"\t\t: :\n", b"0 1 2 3 4 5\n"])
def test_garbage_is_passed_over(tmp_path: Path, raw: bytes) -> None:
    """The lines around it are read."""
    log(tmp_path, raw, "commit: \udcff", "commit: x\x85y\x0bz")
    assert [one.subject for one in made_since(tmp_path, 0)[0]] == ["\ufffd", "x\x85y\x0bz"]


def test_what_is_no_log_is_none(tmp_path: Path) -> None:
    """No repository, no log, a folder, a pipe that nobody writes."""
    assert (log_path(tmp_path), log_size(tmp_path), made_since(tmp_path, 9)) == (None, 0, ([], 0))
    logs = tmp_path / ".git" / "logs"
    logs.mkdir(parents=True)
    assert (log_size(tmp_path), made_since(tmp_path, 9)) == (0, ([], 0))
    os.mkfifo(logs / "HEAD")
    assert made_since(tmp_path, 0) == ([], 0)


def test_each_worktree_has_its_own_log(tmp_path: Path) -> None:
    """And each finds the others of its repository."""
    main, other = make_repo(tmp_path / "main"), tmp_path / "other"
    git(main, "worktree", "add", "-q", "-b", "x", str(other))
    (main / "sub").mkdir()
    before = log_size(main)
    name = commit(other, "there")
    assert made_since(other, 0)[0][-1].commit == name and log_size(main) == before
    assert list(worktrees_beside(main / "sub")) == [other] and list(worktrees_beside(other)) == [main]
    assert list(worktrees_beside(tmp_path)) == []


def test_a_time_that_git_was_told_is_known_by_the_lines_before(tmp_path: Path) -> None:
    """The log grows at its end, so that a line that is older than one before it bears no true time."""
    first, second = (f"{OLD} {NEW} A <a> {at} +0000\tcommit: x\n".encode() for at in (1_700_000_500, 1_600_000_000))
    log(tmp_path, first + second + first)
    assert [one.is_dated for one in made_since(tmp_path, 0)[0]] == [False, True, False]


def test_the_top_of_a_repository_is_found_from_below(tmp_path: Path) -> None:
    """The nearest one."""
    repo = make_repo(tmp_path / "repo")
    (repo / "sub" / "lib" / ".git").mkdir(parents=True)
    assert repository_top(repo / "sub") == repo == repository_top(repo) and repository_top(tmp_path) is None
    assert repository_top(repo / "sub" / "lib") == repo / "sub" / "lib"
