"""Two clones and a worktree, real git: whatever is edited and deleted where, in the end all have the same records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.git_places import Place, Places


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Places:
    return Places(tmp_path, monkeypatch, capsys)


@pytest.fixture
def repo(at: Places) -> Place:
    return at.repo()


def set_up(one: Place, has_driver: bool) -> None:
    one.neat("sync", "--install" if has_driver else "--uninstall")
    one.git("add", "-A")
    one.git("commit", "-q", "--allow-empty", "-m", "set up")


def merge(one: Place, *words: str, has_driver: bool) -> None:
    """A pull or a merge: by record with the driver; without it git stops at its markers, and `neat sync` takes over."""
    done = one.git(*words, check=False)
    assert ("<<<<<<<" in one.text) is not has_driver and (done.returncode == 0) is has_driver, done.stdout + done.stderr
    one.commit("merged") if not has_driver else one.neat("sync")
    assert "<<<<<<<" not in one.text


@pytest.mark.parametrize("has_driver", [True, False])
def test_two_clones_and_a_worktree_end_with_the_same_records(at: Places, repo: Place, has_driver: bool) -> None:
    """Edited, deleted and made here and there, merged by git: the same records and histories, the losers in them."""
    set_up(repo, has_driver)
    note, decision = repo.keep("note", "first note"), repo.keep("decide", "first decision", "--why", "x")
    task, bug = repo.keep("task", "a step"), repo.keep("bug", "a bug")
    repo.commit("begin")
    repo.git("clone", "-q", str(repo.root), "../two")
    two = at("two", "home two")
    assert two.neat("sync")["added"] == sorted([note, decision, task, bug])
    set_up(two, has_driver)
    repo.git("worktree", "add", "-q", "-b", "side", "../tree")
    tree = at("tree")

    repo.neat("edit", decision, "title=anna's")
    repo.neat("delete", bug)
    repo.keep("note", "made in one")
    repo.commit("one")
    two.neat("edit", decision, "title=bo's")
    two.neat("edit", bug, "cause=found")
    two.neat("edit", note, "tags=two")
    two.neat("delete", task)
    two.keep("insight", "made in two")
    two.commit("two")
    tree.neat("edit", note, "body=from the tree")
    tree.keep("task", "made in the tree")
    tree.commit("tree")

    merge(repo, "merge", "-q", "-m", "side", "side", has_driver=has_driver)
    repo.git("add", "-A")
    merge(two, "pull", "-q", "--no-rebase", has_driver=has_driver)
    two.git("add", "-A")
    two.git("commit", "-q", "--allow-empty", "-m", "synced")
    repo.git("pull", "-q", "--no-rebase", "../two", "main")
    tree.git("merge", "-q", "main")
    for one in (repo, tree, two):
        one.neat("sync")

    assert repo.text == two.text == tree.text
    assert repo.records() == two.records() == tree.records()
    found = two.records()
    assert not {task, bug} & set(found) and len(found) == 5
    assert found[decision]["title"] == "bo's" and found[note]["body"] == "from the tree"
    losses = [change["old"] for change in found[decision]["history"] if change["who"] == "sync:person"]
    assert losses == ["anna's"]
    assert ["two"] in [
        json.loads(c["old"]) for c in found[note]["history"] if c["who"].startswith("sync") and c["field"] == "tags"
    ]
