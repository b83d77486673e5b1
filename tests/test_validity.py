"""Whether records still hold: conditions, branches and trees; the pure part, and with real repositories."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from neatd import knowledge
from neatd.errors import NeatError
from neatd.knowledge import Decision, Preference, Record
from neatd.pipeline.validity import stale_records
from neatd.pipeline.vouching import fix_condition
from neatd.read.ancestry import Ancestry, not_ancestors
from neatd.rules.validity import ValidityFacts, why_stale
from neatd.store import runs
from tests.repos_made import commit, git, make_repo
from tests.store_rows import PROJECT, add_run, open_store

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
A, B = "a" * 40, "b" * 40
SHA = "sha256:" + "0" * 64


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Branch main with one commit."""
    return make_repo(tmp_path / "repo")


def decision(number: int = 1, **fields: Any) -> Decision:
    base = {"id": f"d-{number:016d}", "project_id": PROJECT, "title": "x", "created_at": NOW, "updated_at": NOW}
    return Decision.model_validate(base | fields)


def why(home: Path, root: Path, *found: Record, now: datetime = NOW) -> list[str]:
    """Why each of the records is stale at `root`, "" where it holds."""
    store = open_store(home)
    try:
        stale = stale_records(store, root, found, now)
    finally:
        store.close()
    return [stale.get(one.id, "") for one in found]


# ---- the pure part ----


@pytest.mark.parametrize(
    ("condition", "facts", "expected"),
    [
        (f"file a b.py {SHA}", {"hashes": {"a b.py": SHA}}, ""),
        (f"file a b.py {SHA}", {"hashes": {"a b.py": "sha256:1"}}, "a b.py changed since"),
        (f"file a b.py {SHA}", {"hashes": {"a b.py": ""}}, "a b.py is gone"),
        (f"file a b.py {SHA}", {}, ""),
        (f"ancestor {A}", {"unmerged": frozenset({A})}, "commit aaaaaaaa is not in this branch"),
        (f"ancestor {A}", {"unmerged": frozenset({B})}, ""),
        (f"ancestor {A}", {"unknown": frozenset({A})}, "commit aaaaaaaa is not known in this repository"),
        (f"ancestor {A}", {"unmerged": frozenset({A}), "is_repo": False}, ""),
        ("branch topo", {"branch": "topo"}, ""),
        ("branch topo", {"branch": "main"}, "it holds on branch topo, this is main"),
        ("branch topo", {"branch": ""}, "it holds on branch topo, this is a detached HEAD"),
        ("run r-1", {"runs": {"r-1": ("runs/x", "running")}}, ""),
        ("run r-1", {"runs": {"r-1": ("runs/x", "stalled")}}, ""),
        ("run r-1", {"runs": {"r-1": ("runs/x", "failed")}}, "run runs/x ended: failed"),
        ("run r-1", {"runs": {"r-1": ("", "")}}, "run r-1 is not known here"),
        ("run r-1 status finished", {"runs": {"r-1": ("runs/x", "finished")}}, ""),
        ("run r-1 status finished", {"runs": {"r-1": ("runs/x", "failed")}}, "run runs/x is failed, not finished"),
        ("until 2026-03-01", {}, ""),
        ("until 2026-02-28", {}, "it held until 2026-02-28"),
        ("until 2026-03-01T11:59:00+00:00", {}, "it held until 2026-03-01T11:59:00+00:00"),
        ("until 2026-03-01T14:00:00+01:00", {}, ""),
        ("weather sunny", {}, "its condition is not understood: weather sunny"),
        ("file train.py", {}, "its condition is not understood: file train.py"),
        ("until tomorrow", {}, "its condition is not understood: until tomorrow"),
    ],
)
def test_a_condition_holds_or_says_why_not(condition: str, facts: dict[str, Any], expected: str) -> None:
    """What was not looked at is never called stale; what is not understood never passes in silence."""
    known = ValidityFacts(**{"is_repo": True, "branch": "main", "commit": B, **facts})
    assert why_stale(decision(valid_while=[condition]), known, NOW) == expected


def test_a_day_ends_where_the_caller_is() -> None:
    """In Auckland it is March 2nd already when it is noon of the 1st in UTC."""
    auckland = NOW.astimezone(timezone(timedelta(hours=13)))
    one = decision(valid_while=["until 2026-03-01"])
    assert why_stale(one, ValidityFacts(), NOW) == ""
    assert why_stale(one, ValidityFacts(), auckland) == "it held until 2026-03-01"


@pytest.mark.parametrize(
    ("fields", "facts", "expected"),
    [
        ({"commit": A, "branch": "topo"}, {"unmerged": frozenset({A})}, "on unmerged branch topo"),
        ({"commit": A, "branch": ""}, {"unmerged": frozenset({A})}, "on unmerged commit aaaaaaaa"),
        ({"commit": A, "branch": "main"}, {"unmerged": frozenset({A})}, ""),
        ({"commit": A, "branch": "topo"}, {}, ""),
        ({"commit": "", "branch": "topo"}, {}, ""),
        ({"commit": A, "branch": "topo"}, {"unknown": frozenset({A})},
         "from branch topo at commit aaaaaaaa, which this repository does not have"),
        ({"commit": A, "branch": "main"}, {"unknown": frozenset({A})}, ""),
        ({"commit": A, "branch": "topo"}, {"unmerged": frozenset({A}), "is_repo": False}, ""),
    ],
)  # fmt: skip
def test_a_record_of_another_branch_holds_once_it_is_merged(
    fields: dict[str, str], facts: dict[str, Any], expected: str
) -> None:
    """Of the same branch it always does: a commit that was amended is no other branch."""
    known = ValidityFacts(**{"is_repo": True, "branch": "main", "commit": B, **facts})
    assert why_stale(decision(**fields), known, NOW) == expected


def test_a_preference_holds_on_every_branch() -> None:
    """How a person wants to be spoken to has nothing to do with the code."""
    base = decision(commit=A, branch="topo").model_dump(include=set(Record.model_fields))
    facts = ValidityFacts(True, "main", B, unmerged=frozenset({A}))
    assert why_stale(Preference.model_validate(base), facts, NOW) == ""


def test_a_test_run_is_stale_when_the_tree_has_changed() -> None:
    """Its tree decides and not its commit: what was committed as it was tested is the same tree."""
    base = decision(commit=A, branch="topo").model_dump(include=set(Record.model_fields))
    one = knowledge.TestRun.model_validate({**base, "tree": "t1"})
    facts = ValidityFacts(True, "main", B, unmerged=frozenset({A}))
    assert why_stale(one, facts._replace(tree="t1"), NOW) == ""
    assert why_stale(one, facts._replace(tree="t2"), NOW) == "the tree has changed since"
    assert why_stale(one, facts, NOW) == "on unmerged branch topo"


def test_every_reason_is_said() -> None:
    """A record may have ceased to hold in several ways."""
    one = decision(commit=A, branch="topo", valid_while=["until 2020-01-01", "branch topo"])
    facts = ValidityFacts(True, "main", B, unmerged=frozenset({A}))
    assert why_stale(one, facts, NOW).split("; ") == [
        "it held until 2020-01-01", "it holds on branch topo, this is main", "on unmerged branch topo",
    ]  # fmt: skip


def test_a_day_ends_where_the_machine_is(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daemon hands in UTC; a person who wrote a date meant their own."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert why(tmp_path, repo, decision(valid_while=["until 2026-03-01"])) == ["it held until 2026-03-01"]
    finally:
        monkeypatch.undo()
        time.tzset()


# ---- with git ----


def test_a_decision_of_a_branch_holds_everywhere_once_it_is_merged(repo: Path, tmp_path: Path) -> None:
    """On main it is marked, on its branch not, and after the merge nowhere; a rebase leaves the branch's own alone."""
    git(repo, "checkout", "-q", "-b", "topo")
    one = decision(commit=commit(repo, "topology"), branch="topo")
    assert why(tmp_path, repo, one) == [""]
    git(repo, "checkout", "-q", "main")
    assert why(tmp_path, repo, one) == ["on unmerged branch topo"]
    git(repo, "checkout", "-q", "--detach", "topo")
    assert why(tmp_path, repo, one) == [""]
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "topo")
    assert why(tmp_path, repo, one) == [""]


def test_a_rebased_decision_still_holds_on_its_branch(repo: Path, tmp_path: Path) -> None:
    """Its commit is no ancestor any more; the branch's name vouches for it there, and nowhere else."""
    git(repo, "checkout", "-q", "-b", "topo")
    one = decision(commit=commit(repo, "topology"), branch="topo")
    git(repo, "commit", "-q", "--amend", "-m", "topology, reworded")
    assert not_ancestors(repo, [one.commit]).unmerged == {one.commit} and why(tmp_path, repo, one) == [""]
    git(repo, "checkout", "-q", "main")
    assert why(tmp_path, repo, one) == ["on unmerged branch topo"]


def test_a_worktree_judges_by_its_own_branch(repo: Path, tmp_path: Path) -> None:
    """Two worktrees of one repository stand on different branches."""
    git(repo, "worktree", "add", "-q", "-b", "topo", str(tmp_path / "other"))
    one = decision(commit=commit(tmp_path / "other", "topology"), branch="topo")
    assert why(tmp_path, tmp_path / "other", one) == [""]
    assert why(tmp_path, repo, one) == ["on unmerged branch topo"]


def test_where_git_does_not_answer_nothing_is_called_stale(repo: Path, tmp_path: Path) -> None:
    """No repository, no commit yet, a broken one."""
    (tmp_path / "none").mkdir()
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q", "-b", "main")
    for folder in (tmp_path / "none", tmp_path / "empty"):
        assert not_ancestors(folder, [A]) == Ancestry()
        assert why(tmp_path, folder, decision(commit=A, branch="topo", valid_while=["branch topo"])) == [""]
    (repo / ".git" / "objects").rename(repo / ".git" / "lost")
    assert not_ancestors(repo, [A]) == Ancestry()


# ---- conditions, as they are kept ----


def test_a_file_is_kept_with_its_hash_and_is_stale_when_it_changes(repo: Path, tmp_path: Path) -> None:
    """Also when it goes; and it holds again when its old content is back."""
    one = decision(valid_while=[fix_condition("file train.py", repo)])
    assert why(tmp_path, repo, one) == [""]
    for text, expected in (("other", "train.py changed since"), ("first", "")):
        (repo / "train.py").write_text(text)
        assert why(tmp_path, repo, one) == [expected]
    (repo / "train.py").unlink()
    assert why(tmp_path, repo, one) == ["train.py is gone"]


def test_a_condition_that_leads_out_of_the_project_is_not_looked_at(repo: Path, tmp_path: Path) -> None:
    """It may have come with a clone: neither a path nor a link opens anything outside."""
    (tmp_path / "secret").write_text("x")
    (repo / "link").symlink_to(tmp_path / "secret")
    conditions = [f"file {name} {SHA}" for name in ("../secret", "link", "/etc/hostname", ".git/config")]
    assert why(tmp_path, repo, decision(valid_while=conditions)) == [""]


def test_conditions_are_made_exact_when_they_are_kept(repo: Path, tmp_path: Path) -> None:
    """A branch or HEAD becomes its commit, a name a run's id, a moment gets its zone; kept ones stay as they are."""
    head = git(repo, "rev-parse", "HEAD")
    store = open_store(tmp_path)
    run = add_run(store)
    assert fix_condition(" ancestor  HEAD ", repo) == fix_condition(f"ancestor {head[:9]}", repo) == f"ancestor {head}"
    assert fix_condition("run a status finished", repo, store, PROJECT) == f"run {run.id} status finished"
    assert fix_condition("run a", repo) == "run a"
    assert fix_condition("until 2026-03-01", repo) == "until 2026-03-01"
    for text in ("file train.py", "ancestor main", "branch topo", f"run {run.id}", "until 2026-03-01T10:00"):
        fixed = fix_condition(text, repo, store, PROJECT)
        assert fix_condition(fixed, repo, store, PROJECT) == fixed
    store.close()


@pytest.mark.parametrize(
    "text",
    ["", "file", "file nowhere.py", "file ../x", "file .git/config", "file .", "ancestor nowhere", "ancestor --all",
     "branch a b", "run", "run r-1 status done", "until", "until tomorrow", "until 2026-13-01", "weather sunny"],
)  # fmt: skip
def test_a_condition_that_cannot_be_kept_is_refused_with_a_hint(repo: Path, text: str) -> None:
    """A condition that nothing can check would look as if it held for ever."""
    with pytest.raises(NeatError) as caught:
        fix_condition(text, repo)
    assert caught.value.hint


def test_a_record_may_hold_while_a_run_is_alive(repo: Path, tmp_path: Path) -> None:
    """By its id or its name."""
    store = open_store(tmp_path)
    run = add_run(store, "runs/x")
    found = [decision(1, valid_while=[f"run {run.id}"]), decision(2, valid_while=["run x"])]
    assert why(tmp_path, repo, *found) == ["", ""]
    runs.set_run(store, run.id, status="killed")
    store.close()
    assert why(tmp_path, repo, *found) == ["run runs/x ended: killed"] * 2
