"""Lists and searches say what is of another branch, or may no longer hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_place import Cli
from tests.repos_made import commit, git


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A repository on main; one decision on branch idea before its first commit, and one on main."""
    made = Cli(tmp_path, monkeypatch, capsys)
    git(made.root, "init", "-q", "-b", "main")
    made.init()
    commit(made.root, "first")
    made.keep("decide", "wide everywhere", "--why", "x")
    git(made.root, "checkout", "-q", "-b", "idea")
    made.keep("decide", "idea one", "--why", "y")
    commit(made.root, "an idea")
    git(made.root, "checkout", "-q", "main")
    return made


def test_a_brief_shows_a_decision_before_its_branch_s_first_commit_apart(cli: Cli) -> None:
    """It was never true on main."""
    (line,) = [one for one in cli.ok("brief").splitlines() if "idea one" in one]
    assert "stale: on unmerged branch idea" in line


def test_a_list_says_what_does_not_hold_here(cli: Cli) -> None:
    """In its last column, and as "stale"; of what holds and of what is over nothing."""
    lines = cli.ok("list", "decision").splitlines()
    assert [
        line.rstrip().endswith("on unmerged branch idea") for line in lines if "wide" in line or "idea one" in line
    ] == ["idea one" in line for line in lines if "wide" in line or "idea one" in line]
    found = {one["title"]: one["stale"] for one in cli.json("list")}
    assert found == {"wide everywhere": "", "idea one": "on unmerged branch idea"}
    (idea,) = [one["id"] for one in cli.json("list") if one["title"] == "idea one"]
    cli.ok("close", idea)
    assert [one["stale"] for one in cli.json("list")] == ["", ""]


def test_a_search_names_another_branch(cli: Cli) -> None:
    """That of the working folder is not repeated; over all projects none is."""
    assert {one["title"]: one["branch"] for one in cli.json("search", "kind:decision")} == {
        "wide everywhere": "main", "idea one": "idea",
    }  # fmt: skip
    assert cli.ok("search", "idea").rstrip().endswith("idea one (on branch idea)")
    assert "branch" not in cli.ok("search", "wide") + cli.ok("search", "idea", "--all-projects")
