"""The state of the files that were tested: what changes it, and what must not."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from neatd.config import ProjectConfig
from neatd.pipeline.testing import own_paths
from neatd.pipeline.testlook import own_paths_at
from neatd.read import treestate
from neatd.read.treestate import Tree, is_stale, read_tree, tree_state
from tests.cost import at_most
from tests.testing_made import IDENTITY, Checked

needs_posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes")


@pytest.fixture
def made(tmp_path: Path) -> Checked:
    made = Checked(tmp_path)
    made.write("src/model.py", "width = 8\n")
    made.write("README.md", "a model\n")
    made.commit()
    return made


def change_a_file(made: Checked) -> None:
    made.write("src/model.py", "width = 16\n")


def add_a_file(made: Checked) -> None:
    made.write("src/new.py", "")


def delete_a_file(made: Checked) -> None:
    (made.root / "src/model.py").unlink()


def stage_a_change(made: Checked) -> None:
    change_a_file(made)
    made.git("add", "-A")


def rename_a_file(made: Checked) -> None:
    made.git("mv", "src/model.py", "src/net.py")


def change_a_text(made: Checked) -> None:
    made.write("README.md", "another model\n")


@pytest.mark.parametrize(
    "change", [change_a_file, add_a_file, delete_a_file, stage_a_change, rename_a_file, change_a_text]
)
def test_a_changed_file_is_another_state(made: Checked, change: object) -> None:
    """And the old content is the old state again."""
    before = tree_state(made.root)
    assert callable(change)
    change(made)
    assert tree_state(made.root) != before and before.startswith("git:")
    made.git("stash", "-u") if change is not rename_a_file else made.git("reset", "-q", "--hard")
    assert tree_state(made.root) == before


def test_a_commit_of_what_was_tested_keeps_the_result_fresh(made: Checked) -> None:
    """Changed, new, staged and then committed: the same content all the way."""
    change_a_file(made)
    add_a_file(made)
    tested = tree_state(made.root)
    made.git("add", "-A")
    assert tree_state(made.root) == tested
    made.git("commit", "-qm", "tested")
    assert tree_state(made.root) == tested


def test_a_touched_file_is_the_same(made: Checked) -> None:
    """Also one that another checkout wrote anew."""
    before = tree_state(made.root)
    os.utime(made.root / "src/model.py", (1, 1))
    assert tree_state(made.root) == before
    made.git("checkout", "-q", "-b", "other")
    change_a_file(made)
    made.commit()
    made.git("checkout", "-q", "-")
    assert tree_state(made.root) == before


@pytest.mark.parametrize(
    "name",
    [".neat/brief.md", ".neat/knowledge.jsonl", "neat.yaml", "docs/handoff.md", "table.csv", "runs/a/metrics.jsonl",
     "runs/a/config.json", "runs/a/code.py", "weights.pt", "junit.xml", ".pytest_cache/v/cache/nodeids", ".coverage",
     "__pycache__/model.cpython-311.pyc", "build.log", "test-results/junit.xml"],
)  # fmt: skip
def test_what_neat_a_training_or_a_runner_writes_does_not_count(made: Checked, name: str) -> None:
    """Neither the first time nor when it changes."""
    made.write(".gitignore", "")
    made.write("runs/a/metrics.jsonl", '{"step": 1}\n')
    made.commit()
    own = ("docs/handoff.md", "table.csv")
    before = tree_state(made.root, own)
    for text in ("one", "two"):
        made.write(name, text)
        assert tree_state(made.root, own) == before


@pytest.mark.parametrize(
    "name", [".neat/knowledge.jsonl", "neat.yaml", "docs/handoff.md", "table.csv", "runs/a/metrics.jsonl", "junit.xml"]
)
def test_what_neat_writes_does_not_count_when_it_is_in_git(made: Checked, name: str) -> None:
    """Changed, staged or committed."""
    made.write(".gitignore", "")
    made.write(name, "one")
    made.commit()
    own = ("docs/handoff.md", "table.csv")
    before = tree_state(made.root, own)
    made.write(name, "two")
    assert tree_state(made.root, own) == before
    made.commit()
    assert tree_state(made.root, own) == before


def test_a_documents_path_counts_when_it_is_not_ours(made: Checked) -> None:
    """A check of the check: without being named, the same file is another state."""
    made.write("docs/guide.py", "")
    before = tree_state(made.root)
    made.write("docs/guide.py", "changed")
    assert tree_state(made.root) != before and tree_state(made.root, ["docs"]) == tree_state(made.root, ["docs/"])


def test_a_project_inside_a_repository_has_a_state_of_its_own(made: Checked) -> None:
    """A neighbour's change does not touch it."""
    inner = made.root / "src"
    before, whole = tree_state(inner), tree_state(made.root)
    change_a_text(made)
    assert tree_state(inner) == before and tree_state(made.root) != whole
    change_a_file(made)
    assert tree_state(inner) != before


def test_outside_of_git_sizes_and_times_tell(tmp_path: Path) -> None:
    """Of the files that programs are made of."""
    made = Checked(tmp_path)
    path = made.write("model.py", "width = 8\n")
    before = tree_state(made.root)
    made.write("notes.md", "later")
    assert tree_state(made.root) == before and before.startswith("files:")
    path.write_text("width = 16\n")
    assert tree_state(made.root) != before


def test_a_run_that_edits_nothing_is_of_the_state_after_it() -> None:
    """What it left behind is there at every later look; what was edited meanwhile was not tested as it is."""
    before = Tree("git", {"a.py": "1"})
    left = Tree("git", {"a.py": "1", "left.json": "9"})
    assert treestate.tested_state(before, left) == left.state
    assert treestate.tested_state(before, Tree("git", {"a.py": "2"})) == before.state
    assert treestate.tested_state(before, Tree("git", {})) == before.state


def test_what_is_not_known_is_stale() -> None:
    """Of an old result, and of a tree that git cannot tell."""
    fresh, unknown = SimpleNamespace(tree="git:1"), SimpleNamespace(tree="")
    assert not is_stale(fresh, "git:1")  # type: ignore[arg-type]
    assert is_stale(fresh, "git:2") and is_stale(fresh, "") and is_stale(unknown, "")  # type: ignore[arg-type]


@needs_posix
def test_links_and_pipes_are_told_and_not_followed(made: Checked) -> None:
    """A link is where it leads, whatever lies there; a pipe is not waited for."""
    outside = made.root.parent / "secret.py"
    outside.write_text("one")
    (made.root / "link.py").symlink_to(outside)
    before = tree_state(made.root)
    outside.write_text("another")
    assert tree_state(made.root) == before
    os.mkfifo(made.root / "pipe.py")
    assert tree_state(made.root).startswith("git:")


def test_a_repository_that_names_a_program_runs_none(made: Checked, tmp_path: Path) -> None:
    """fsmonitor and hooks are settings that git would run."""
    mark = tmp_path / "ran"
    script = made.write("hook.sh", f"#!/bin/sh\ntouch '{mark}'\n")
    script.chmod(0o755)
    made.git("config", "core.fsmonitor", str(script))
    assert tree_state(made.root).startswith("git:") and not mark.exists()


def test_git_is_not_kept_from_its_lock(made: Checked) -> None:
    """A commit in progress is neither waited for nor disturbed."""
    lock = made.root / ".git" / "index.lock"
    lock.touch()
    os.utime(made.root / "src/model.py")
    assert tree_state(made.root).startswith("git:") and lock.exists()


def test_the_last_change_is_known(made: Checked) -> None:
    """By it a result file that was found later is known to be of these files, or not."""
    committed = read_tree(made.root).changed_at
    assert time.time() - 60 < committed <= time.time() + 1
    path = made.root / "src/model.py"
    change_a_file(made)
    os.utime(path, (committed + 500, committed + 500))
    assert read_tree(made.root).changed_at == pytest.approx(committed + 500)


def test_five_thousand_files_take_a_part_of_a_second(tmp_path: Path) -> None:
    """22 ms were measured on two cores, 82 ms when every file was touched; the bound leaves room for a busy machine."""
    made = Checked(tmp_path)
    for number in range(5000):
        made.write(f"pkg{number % 50}/m{number}.py", f"x = {number}\n")
    made.commit()
    with at_most(0.4):
        tree_state(made.root)


def test_without_git_on_the_machine_nothing_is_known(made: Checked, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing fails."""
    monkeypatch.setenv("PATH", "")
    assert tree_state(made.root) == ""


def test_the_paths_that_neat_writes_are_those_of_neat_yaml() -> None:
    """Documents and the table."""
    config = ProjectConfig(id="x", documents={"handoff": "docs/handoff.md"}, table_csv="out/table.csv")
    assert own_paths(config) == ("docs/handoff.md", "out/table.csv") and own_paths(ProjectConfig(id="x")) == ()


@pytest.mark.parametrize(
    ("text", "paths"),
    [("documents:\n  handoff: docs/h.md\n", ("docs/h.md",)), ('"table_csv" : t.csv\n', ("t.csv",)), ("plan: PLAN.md\n", ()),
     ("documents: 7\n", ())],
)  # fmt: skip
def test_the_paths_are_read_from_the_file_as_it_is(made: Checked, text: str, paths: tuple[str, ...]) -> None:
    """In any spelling; with a mistake in it there are none, and the tests are run all the same."""
    made.write("neat.yaml", f"id: {IDENTITY}\n{text}")
    assert own_paths_at(made.root) == paths


def test_a_surrounding_hook_does_not_mislead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a hook git names the repository that is committing; the state asked for is that of the folder."""
    for name in ("asked", "other"):
        folder = tmp_path / name
        folder.mkdir()
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        (folder / f"{name}.dat").write_text("kept only because it is tracked\n")
        subprocess.run(["git", "add", "."], cwd=folder, check=True)
    before = tree_state(tmp_path / "asked")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "other" / ".git" / "index"))
    assert tree_state(tmp_path / "asked") == before
