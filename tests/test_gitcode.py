"""The code behind a run, by its commit, in real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.models import GitState
from neatd.pipeline.codebook import CodeBook
from neatd.read.gitcode import difference, is_metric_code, metric_code, present
from tests.test_gitstate import git


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Two commits that differ in train.py, a third in eval.py."""
    folder = tmp_path / "repo"
    (folder / ".neat").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    for name, text in (("eval.py", "a\n"), ("train.py", "b\n"), ("metrics.csv", "1\n"), (".neat/knowledge.jsonl", "")):
        (folder / name).write_text(text)
    commit(folder)
    (folder / "train.py").write_text("b\nc\n")
    (folder / "metrics.csv").write_text("2\n")
    (folder / ".neat/knowledge.jsonl").write_text("x\n")
    commit(folder)
    (folder / "eval.py").write_text("b\n")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "x")


def commits(folder: Path) -> list[str]:
    """Oldest first."""
    return git(folder, "rev-list", "--reverse", "HEAD").split()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("eval.py", True), ("src/metrics/dice.py", True), ("scoring.cu", True), ("my_metric_v2.py", True),
        ("evaluate_model.ipynb", True), ("retrieval.py", False), ("metrics.csv", False), ("tests/test_metrics.py", False),
        ("medieval.py", False), ("test_eval.py", False), ("train.py", False), ("eval_results.json", False),
    ],
)  # fmt: skip
def test_metric_code_is_told_by_its_name(path: str, expected: bool) -> None:
    """Whole words of code files; results and tests are none."""
    assert is_metric_code(path) is expected


def test_metric_code_changes_with_its_files_only(repo: Path) -> None:
    """Another train.py and other results are the same metric code."""
    first, second, third = (metric_code(repo, one) for one in commits(repo))
    assert first == second != third and len(first) == 64


def test_no_metric_code_is_no_hash(repo: Path, tmp_path: Path) -> None:
    """Without such files, without a repository, of a commit that is not here, of what is no commit's name."""
    git(repo, "rm", "-q", "eval.py")
    commit(repo)
    (tmp_path / "plain").mkdir()
    head = commits(repo)[-1]
    assert metric_code(repo, head) == metric_code(tmp_path / "plain", head) == ""
    assert metric_code(repo, "0" * 40) == metric_code(repo, "--help") == metric_code(repo, "HEAD") == ""


def test_a_difference_is_short(repo: Path) -> None:
    """Files, lines, the largest by name; neat's own files do not count, the same commit is no difference."""
    first, second, third = commits(repo)
    assert difference(repo, first, second) == "2 files, +2 -1: metrics.csv, train.py"
    assert difference(repo, second, third) == "1 file, +1 -1: eval.py"
    assert difference(repo, first, first) == difference(repo, first, "0" * 40) == ""


def test_nothing_that_the_repository_names_is_run(repo: Path, tmp_path: Path) -> None:
    """An external diff and a text converter of its configuration stay where they are."""
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    git(repo, "config", "diff.external", str(trap))
    git(repo, "config", "diff.evil.textconv", str(trap))
    git(repo, "config", "core.fsmonitor", str(trap))
    (repo / ".gitattributes").write_text("*.py diff=evil\n")
    first, _, third = commits(repo)
    assert difference(repo, first, third) and metric_code(repo, third) and present(repo, [first])
    assert not (tmp_path / "sprung").exists()


def test_which_commits_are_here(repo: Path) -> None:
    """Those of another clone are not; nor is anything else of that name's shape."""
    tree = git(repo, "rev-parse", "HEAD^{tree}")
    assert present(repo, [*commits(repo), "0" * 40, tree, "HEAD", ""]) == frozenset(commits(repo))


def state(commit: str, *dirty: str) -> GitState:
    return GitState(is_repo=True, commit=commit, dirty=dirty)


def test_the_book_says_what_differs(repo: Path) -> None:
    """The commit with its difference, and what was not committed; metric code that was changed is unknown."""
    first, second, third = commits(repo)
    book = CodeBook(repo)
    book.prepare([first, second, third])
    base = state(first)
    assert book.difference(base, state(third)) == f"commit {third[:8]} (3 files, +3 -2: eval.py, metrics.csv, train.py)"
    assert (
        book.difference(base, state(first, "a.py", "b.py", "c.py", "d.py"))
        == "uncommitted: a.py, b.py, c.py and 1 more"
    )
    assert book.difference(base, base) == ""
    assert book.metric_code(state(second)) == book.metric_code(base) != ""
    assert book.metric_code(state(second, "eval.py")) == ""


def test_what_git_said_is_kept(repo: Path, tmp_path: Path) -> None:
    """The next process asks nothing: the repository may be gone."""
    kept = tmp_path / "kept.json"
    first, _, third = commits(repo)
    book = CodeBook(repo, kept)
    book.prepare([first, third])
    said = book.difference(state(first), state(third)), book.metric_code(state(first)), book.metric_code(state(third))
    book.save()
    again = CodeBook(tmp_path / "elsewhere", kept)
    again.prepare([first, third])
    assert said == (
        again.difference(state(first), state(third)), again.metric_code(state(first)), again.metric_code(state(third)),
    )  # fmt: skip
    kept.write_text("[1")
    assert CodeBook(tmp_path / "other", kept).metric_code(state(first)) == ""
