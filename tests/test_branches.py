"""Decisions of other branches: before a branch's first commit, merged as they are, squashed, rebased, dropped."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from neatd.knowledge import Decision
from neatd.pipeline.validity import stale_records
from neatd.read.branches import branches
from tests.cost import at_most
from tests.repos_made import commit, git, make_repo
from tests.store_rows import PROJECT, open_store

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
APART = "on unmerged branch idea"
GONE = "its branch idea is gone (merged by squash or rebase, or dropped)"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Branch main with one commit."""
    return make_repo(tmp_path / "repo")


def decided(commit: str, branch: str = "idea", number: int = 0) -> Decision:
    fields = {"id": f"d-{number:016d}", "project_id": PROJECT, "title": "x", "created_at": NOW, "updated_at": NOW}
    return Decision.model_validate({**fields, "commit": commit, "branch": branch})


def why(root: Path, one: Decision) -> str:
    """Why it is stale at `root`, "" where it holds."""
    store = open_store(root.parent)
    try:
        return stale_records(store, root, [one], NOW).get(one.id, "")
    finally:
        store.close()


def other_file(root: Path, name: str) -> str:
    (root / name).write_text(name)
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", name)
    return git(root, "rev-parse", "HEAD")


def test_a_decision_before_the_first_commit_of_its_branch_is_not_of_main(repo: Path) -> None:
    """Its commit is main's own; the branch is what was decided on. Also when main goes on, and is merged into it."""
    one = decided(git(repo, "rev-parse", "HEAD"))
    git(repo, "checkout", "-q", "-b", "idea")
    assert why(repo, one) == ""
    other_file(repo, "a.py")
    git(repo, "checkout", "-q", "main")
    assert why(repo, one) == APART
    other_file(repo, "b.py")
    assert why(repo, one) == APART
    git(repo, "checkout", "-q", "idea")
    git(repo, "merge", "-q", "main")
    git(repo, "checkout", "-q", "main")
    assert why(repo, one) == APART
    git(repo, "merge", "-q", "--no-ff", "idea")
    assert why(repo, one) == ""


def test_a_decision_that_comes_after_a_brief_is_seen_too(repo: Path) -> None:
    """What was learnt of a branch when only its tip was asked about is kept for its fork."""
    base = git(repo, "rev-parse", "HEAD")
    git(repo, "checkout", "-q", "-b", "idea")
    tip = other_file(repo, "a.py")
    git(repo, "checkout", "-q", "main")
    assert why(repo, decided(tip)) == APART and why(repo, decided(base)) == APART


@pytest.mark.parametrize("trunk", ["main", "master", "develop"])
def test_a_decision_of_the_trunk_holds_on_a_branch_made_from_it(tmp_path: Path, trunk: str) -> None:
    """Although the trunk has gone on since; a remote may say that it has another name."""
    source = make_repo(tmp_path / "source")
    git(source, "branch", "-m", trunk)
    git(tmp_path, "clone", "-q", str(source), "repo")
    repo = tmp_path / "repo"
    one = decided(git(repo, "rev-parse", "HEAD"), trunk)
    git(repo, "checkout", "-q", "-b", "feature")
    other_file(repo, "f.py")
    git(repo, "checkout", "-q", trunk)
    later = other_file(repo, "m.py")
    git(repo, "checkout", "-q", "feature")
    assert why(repo, one) == "" and why(repo, decided(later, trunk)) == f"on unmerged branch {trunk}"


def test_a_branch_that_was_squashed_holds(repo: Path) -> None:
    """Of several commits one, with the same tree; what the branch does afterwards is apart again."""
    git(repo, "checkout", "-q", "-b", "idea")
    one = decided(other_file(repo, "a.py"))
    other_file(repo, "b.py")
    git(repo, "checkout", "-q", "main")
    assert why(repo, one) == APART
    git(repo, "merge", "-q", "--squash", "idea")
    git(repo, "commit", "-q", "-m", "squashed")
    other_file(repo, "later.py")
    assert why(repo, one) == ""
    git(repo, "checkout", "-q", "idea")
    other_file(repo, "c.py")
    git(repo, "checkout", "-q", "main")
    assert why(repo, one) == APART


def test_a_branch_that_was_rebased_onto_main_holds(repo: Path) -> None:
    """Each of its commits is there under another name; with one of two it is not merged."""
    git(repo, "checkout", "-q", "-b", "idea")
    first, second = other_file(repo, "a.py"), other_file(repo, "b.py")
    git(repo, "checkout", "-q", "main")
    other_file(repo, "m.py")
    git(repo, "cherry-pick", first)
    assert why(repo, decided(first)) == APART
    git(repo, "cherry-pick", second)
    assert why(repo, decided(first)) == ""


def test_a_branch_that_is_gone_is_doubtful(repo: Path) -> None:
    """Nobody can tell whether it was squashed or dropped; one that a remote still has is apart."""
    git(repo, "checkout", "-q", "-b", "idea")
    one = decided(other_file(repo, "a.py"))
    git(repo, "checkout", "-q", "main")
    git(repo, "update-ref", "refs/remotes/origin/idea", one.commit)
    git(repo, "branch", "-q", "-D", "idea")
    assert why(repo, one) == APART
    git(repo, "update-ref", "-d", "refs/remotes/origin/idea")
    assert why(repo, one) == GONE


def test_an_empty_commit_is_no_squash(repo: Path) -> None:
    """It has the tree of the commit before it, which main has too."""
    one = decided(git(repo, "rev-parse", "HEAD"))
    git(repo, "checkout", "-q", "-b", "idea")
    git(repo, "commit", "-q", "--allow-empty", "-m", "empty")
    git(repo, "checkout", "-q", "main")
    other_file(repo, "m.py")
    assert why(repo, one) == APART


def test_branches_are_asked_for_once_until_one_moves(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in folders of branches, and when they are packed."""
    git(repo, "branch", "team/idea")
    git(repo, "pack-refs", "--all")
    found = branches(repo)
    assert found is not None and set(found.tips) == {"main", "team/idea"}
    with monkeypatch.context() as no_git:
        no_git.setenv("PATH", "/nowhere")
        assert branches(repo) is found
    git(repo, "checkout", "-q", "team/idea")
    tip = commit(repo, "more")
    moved = branches(repo)
    assert moved is not None and moved.tips["team/idea"] == tip


def test_ten_thousand_records_take_no_process_each(repo: Path, tmp_path: Path) -> None:
    """A brief is rendered every few seconds; measured warm."""
    base = git(repo, "rev-parse", "HEAD")
    names = [f"idea-{number}" for number in range(6)]
    for name in names:
        git(repo, "checkout", "-q", "-b", name, "main")
        other_file(repo, name)
    git(repo, "checkout", "-q", "main")
    found = [decided(base, names[number % 6], number) for number in range(10_000)]
    store = open_store(tmp_path)
    with at_most(0.15):  # 0.023 s where it was written
        assert len(stale_records(store, repo, found, NOW)) == 10_000
    store.close()
