"""Whose commits they are: those made while a session was there, under the names they have now."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hooks_made import Assisted
from tests.sessions_made import git, git_commit


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Assisted:
    made = Assisted(tmp_path, monkeypatch)
    made.commit("first")
    return made


def test_commits_are_the_sessions(made: Assisted) -> None:
    """Those made while it was there, also quiet ones and those of a program; not those of before."""
    made.tell("session-start")
    assert made.subjects() == []
    made.bash("git commit -m one", git_commit(made, "one"))
    git_commit(made, "two", "-q")
    made.bash("git commit -qm two")
    git_commit(made, "three", "-q")
    made.bash("make release", "")
    git_commit(made, "four", "-q")  # by whom nothing tells, but it was alone
    made.tell("stop")
    assert made.subjects() == ["one", "two", "three", "four"]
    assert made.session()["title"].endswith("last: four")
    (name, *_) = made.session()["commits"][0].split()
    assert git(made.root, "rev-parse", "--short=10", "HEAD~3").strip() == name


def test_an_amended_commit_is_one(made: Assisted) -> None:
    """Under its new name."""
    made.tell("session-start")
    made.bash("git commit -m one", git_commit(made, "one"))
    made.bash("git commit --amend -m better", git_commit(made, "better", "--amend"))
    assert made.subjects() == ["better"]


def test_merges_picks_and_reverts_are_commits_of_its_own(made: Assisted) -> None:
    """But not one that only moves on, and not what was merged."""
    git(made.root, "checkout", "-qb", "side")
    made.write("side.py", "1")
    made.commit("aside")
    git(made.root, "checkout", "-q", "main")
    made.tell("session-start")
    git_commit(made, "one")
    git(made.root, "merge", "-q", "--no-ff", "side", "-m", "both")
    git(made.root, "revert", "--no-edit", "HEAD~1")
    git(made.root, "checkout", "-qb", "other", "HEAD~2")
    git(made.root, "cherry-pick", "side")
    git(made.root, "merge", "-q", "--ff-only", "other")
    made.tell("stop")
    assert made.subjects() == ["one", "merge side", 'Revert "one"', "aside"]


def test_what_a_pull_a_checkout_and_a_reset_brought_is_not_its_work(made: Assisted, tmp_path: Path) -> None:
    """It was committed elsewhere, or before."""
    git(tmp_path, "clone", "-q", "project", "theirs")
    git_commit(made, "elsewhere", root=tmp_path / "theirs")
    made.tell("session-start")
    git(made.root, "pull", "-q", str(tmp_path / "theirs"), "main")
    git(made.root, "reset", "-q", "--hard", "HEAD~1")
    git(made.root, "checkout", "-qb", "x")
    made.bash("git pull", "Fast-forward")
    made.tell("stop")
    assert made.subjects() == []


@pytest.mark.parametrize("words", [["rebase", "-q", "other"], ["pull", "-q", "--rebase", ".", "other"]])
def test_a_rebased_commit_is_one_under_its_new_name(made: Assisted, words: list[str]) -> None:
    """And what was rebased besides it is no work of the session."""
    git(made.root, "checkout", "-qb", "other")
    made.write("other.py", "1")
    made.commit("other work")
    git(made.root, "checkout", "-q", "main")
    made.write("old.py", "1")
    made.commit("old")
    made.tell("session-start")
    made.bash("git commit", git_commit(made, "one"))
    made.bash("git commit", git_commit(made, "two"))
    git(made.root, *words)
    made.bash("git " + " ".join(words))
    assert made.subjects() == ["one", "two"]
    assert made.session()["commits"][1][:10] == git(made.root, "rev-parse", "--short=10", "HEAD").strip()


def test_a_reflog_that_was_cut_short_doubles_nothing(made: Assisted) -> None:
    """It is read anew, and what is known is passed over."""
    made.tell("session-start")
    git_commit(made, "one")
    git_commit(made, "one better", "--amend")
    made.tell("stop")
    log = made.root / ".git" / "logs" / "HEAD"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[1:]))
    made.tell("stop")
    assert made.subjects() == ["one better"]
