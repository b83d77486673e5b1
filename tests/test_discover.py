"""Runs are found wherever they lie, once each, and what cannot be looked into is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neatd.read.discover import Survey, is_source, survey
from tests.store_rows import child, output

needs_links = pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def names(root: Path, found: Survey) -> list[str]:
    """The runs that were found, relative to the project."""
    return [run.relative_to(root).as_posix() for run in found.runs]


def test_runs_are_found_at_any_depth(tmp_path: Path) -> None:
    """The project's own folder, nested runs, one with predictions only."""
    tree(tmp_path, "metrics.jsonl", "runs/a/metrics.jsonl", "runs/a/eval/predictions.jsonl", "x/y/z/metrics.jsonl")
    tree(tmp_path, "runs/b/metrics.json", "runs/c/old_metrics.jsonl")
    found = survey(tmp_path)
    assert names(tmp_path, found) == [".", "runs/a", "runs/a/eval", "x/y/z"]
    assert (found.unreadable, found.is_capped) == ((), False)
    assert set(found.folders) == {tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir())}


def test_a_folder_named_like_a_source_is_no_run(tmp_path: Path) -> None:
    """Only a file is read line by line."""
    (tmp_path / "a" / "metrics.jsonl").mkdir(parents=True)
    assert survey(tmp_path).runs == ()


@pytest.mark.parametrize("folder", [".git", ".venv", "node_modules", "__pycache__", ".neat", "data", "snapshots"])
def test_what_holds_no_runs_is_not_entered(tmp_path: Path, folder: str) -> None:
    """At the top and below, unless the project's own configuration names it."""
    tree(tmp_path, f"{folder}/metrics.jsonl", f"a/{folder}/b/metrics.jsonl", "c/metrics.jsonl")
    assert names(tmp_path, survey(tmp_path)) == ["c"]
    assert names(tmp_path, survey(tmp_path, include=(folder,))) == sorted(
        ["c", folder, f"a/{folder}/b"], key=lambda name: (name.count("/"), name)
    )


def test_a_virtual_environment_is_known_under_any_name(tmp_path: Path) -> None:
    """By its pyvenv.cfg."""
    tree(tmp_path, "torch2/pyvenv.cfg", "torch2/lib/metrics.jsonl", "a/metrics.jsonl")
    assert names(tmp_path, survey(tmp_path)) == ["a"]


@pytest.mark.parametrize(
    ("ignore", "left"),
    [("old", ["new", "new/a"]), ("old/", ["new", "new/a"]), ("new/old", ["new", "new/a", "old"]), ("o*", ["new", "new/a"]),
     ("new/*", ["new", "old"]), ("ne", ["new", "old", "new/a", "new/old"])],
)  # fmt: skip
def test_a_project_may_ignore_folders_by_name_or_path(tmp_path: Path, ignore: str, left: list[str]) -> None:
    """Patterns as in a shell; a slash at the end changes nothing."""
    tree(tmp_path, "new/metrics.jsonl", "new/a/metrics.jsonl", "new/old/metrics.jsonl", "old/metrics.jsonl")
    assert sorted(names(tmp_path, survey(tmp_path, ignore=(ignore,)))) == sorted(left)


def test_the_depth_is_a_cap_that_is_said(tmp_path: Path) -> None:
    """Two levels: a and a/b are looked into, a/b/c is not; where nothing lies deeper, nothing is said."""
    tree(tmp_path, "metrics.jsonl", "a/metrics.jsonl", "a/b/metrics.jsonl", "a/b/c/metrics.jsonl")
    found = survey(tmp_path, depth=2)
    assert (names(tmp_path, found), found.is_capped) == ([".", "a", "a/b"], True)
    assert survey(tmp_path, depth=3).is_capped is False


def test_the_number_of_folders_is_a_cap_that_is_said(tmp_path: Path) -> None:
    """Those nearest to the top come first; exactly as many as allowed are no overflow."""
    tree(tmp_path, *(f"r{n}/metrics.jsonl" for n in range(4)), "r0/deep/metrics.jsonl")
    found = survey(tmp_path, most=3)
    assert (names(tmp_path, found), found.is_capped, len(found.folders)) == (["r0", "r1"], True, 3)
    assert survey(tmp_path, most=6).is_capped is False


@needs_links
def test_a_link_out_of_the_project_is_followed(tmp_path: Path) -> None:
    """Runs often lie on a scratch disk; a linked metrics file is one, too."""
    project, scratch = tmp_path / "project", tree(tmp_path / "scratch", "a/metrics.jsonl", "file.jsonl")
    tree(project, "own/x.txt")
    (project / "runs").symlink_to(scratch)
    (project / "own" / "metrics.jsonl").symlink_to(scratch / "file.jsonl")
    assert names(project, survey(project)) == ["own", "runs/a"]


@needs_links
def test_loops_and_links_into_the_project_find_nothing_twice(tmp_path: Path) -> None:
    """Links to the project, to a folder around it, to one in it, to themselves, to nowhere."""
    project = tree(tmp_path / "project", "a/metrics.jsonl")
    for name, target in (("self", project), ("around", tmp_path), ("root", Path("/")), ("inner", project / "a"),
                         ("loop", project / "loop"), ("nowhere", tmp_path / "gone")):  # fmt: skip
        (project / name).symlink_to(target)
    (project / "a" / "back").symlink_to(project)
    assert names(project, survey(project)) == ["a"]


@needs_links
def test_a_folder_behind_several_links_is_entered_once(tmp_path: Path) -> None:
    """Links to the same place, to one around it, to one in it, and a link back within it."""
    project = tree(tmp_path / "project", "x.txt")
    scratch = tree(tmp_path / "scratch", "runs/a/metrics.jsonl", "b/metrics.jsonl")
    (scratch / "runs" / "up").symlink_to(scratch)
    for name, target in (
        ("l1", scratch / "runs"),
        ("l2", scratch),
        ("l3", scratch / "runs"),
        ("l4", scratch / "runs" / "a"),
    ):
        (project / name).symlink_to(target)
    real = [run.resolve() for run in survey(project).runs]
    assert sorted(real) == [scratch / "b", scratch / "runs" / "a"]


SURVEY = """
import sys
from pathlib import Path
from neatd.read.discover import survey
found = survey(Path(sys.argv[1]))
print([path.name for path in found.runs], [path.name for path in found.unreadable])
"""


@pytest.mark.skipif(os.name == "nt", reason="permission bits of POSIX")
def test_a_folder_that_cannot_be_entered_is_said_and_the_others_are_found(tmp_path: Path) -> None:
    """Neither one that cannot be listed nor one whose files can only be named."""
    tree(tmp_path, "closed/metrics.jsonl", "open/metrics.jsonl", "unsearchable/metrics.jsonl")
    (tmp_path / "closed").chmod(0)
    (tmp_path / "unsearchable").chmod(0o600)
    try:
        told = output(child(SURVEY, tmp_path, is_bound=True))
    finally:
        (tmp_path / "closed").chmod(0o700)
        (tmp_path / "unsearchable").chmod(0o700)
    assert told == "['open'] ['closed', 'unsearchable']\n"


@pytest.mark.skipif(os.name == "nt", reason="file names of Windows are Unicode")
def test_a_folder_whose_name_is_not_utf8_is_said(tmp_path: Path) -> None:
    """The store cannot hold its name; what is said can be kept."""
    tree(tmp_path, "open/metrics.jsonl", os.fsdecode(b"bad\xff/metrics.jsonl"))
    found = survey(tmp_path)
    assert names(tmp_path, found) == ["open"]
    assert found.unreadable == (tmp_path / "bad?",)


def test_a_missing_project_holds_nothing(tmp_path: Path) -> None:
    """Nor is it an error: the caller says that it is gone."""
    assert survey(tmp_path / "gone") == Survey((), (), (), False)


def test_sources_are_known_by_name() -> None:
    """What the watcher wakes the reader for."""
    assert [is_source(Path(name)) for name in ("a/metrics.jsonl", "predictions.jsonl")] == [True, True]
    assert not is_source(Path("metrics.jsonl.tmp"))
