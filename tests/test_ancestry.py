"""Which commits the checked-out branch contains, asked of real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.read.ancestry import Ancestry, full_commit, not_ancestors
from tests.repos_made import commit, git, make_repo

A, B = "a" * 40, "b" * 40


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Branch main with one commit."""
    return make_repo(tmp_path / "repo")


def test_only_what_head_does_not_contain_is_unmerged(repo: Path) -> None:
    """Whichever branch it is on, and however many are asked about."""
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "checkout", "-q", "-b", "topo")
    on_topo = [commit(repo, f"topo {n}") for n in range(3)]
    assert not_ancestors(repo, [first, *on_topo]) == Ancestry(is_answered=True)
    git(repo, "checkout", "-q", "main")
    on_main = commit(repo, "main goes on")
    assert not_ancestors(repo, [first, on_main, *on_topo, A]) == Ancestry(
        frozenset(on_topo), frozenset({A}), True, frozenset({first})
    )


def test_a_shallow_clone_says_which_commits_it_does_not_have(repo: Path, tmp_path: Path) -> None:
    """It cannot know whether they are in its branch, and does not claim that they are not."""
    first = git(repo, "rev-parse", "HEAD")
    last = commit(repo, "second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repo}", "shallow")
    found = not_ancestors(tmp_path / "shallow", [first, last])
    assert found == Ancestry(frozenset(), frozenset({first}), True)
    git(tmp_path / "shallow", "fetch", "-q", "--unshallow")
    assert not_ancestors(tmp_path / "shallow", [first, last]) == Ancestry(is_answered=True)


def test_what_looks_like_an_option_never_reaches_git(repo: Path) -> None:
    """A commit that came with a clone may be any text."""
    hostile = ["--output=x", "HEAD", "a" * 39, f"{A}\n--all", ""]
    assert not_ancestors(repo, hostile) == Ancestry(frozenset(), frozenset(hostile), True)
    assert full_commit(repo, "--all") == full_commit(repo, "HEAD\n--all") == full_commit(repo, "nowhere") == ""


def test_git_is_asked_once_for_the_same_commits(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A brief is rendered every few seconds; without git on the path the answer is still there."""
    other = git(repo, "rev-parse", "HEAD")
    commit(repo, "second")
    asked = [other, A]
    first = not_ancestors(repo, asked)
    monkeypatch.setenv("PATH", "/nowhere")
    assert not_ancestors(repo, asked) == first == Ancestry(frozenset(), frozenset({A}), True)
    assert not_ancestors(repo, [B]) == Ancestry()


def test_asking_takes_no_lock_and_changes_nothing(repo: Path) -> None:
    """A user's own commit never fails because neat was looking."""
    before = sorted((path, path.stat().st_mtime_ns) for path in (repo / ".git").rglob("*"))
    not_ancestors(repo, [A, git(repo, "rev-parse", "HEAD")])
    assert sorted((path, path.stat().st_mtime_ns) for path in (repo / ".git").rglob("*")) == before
