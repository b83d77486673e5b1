"""The frozen copy that a job runs from: a worktree with what is not committed, links to what git ignores, and its end."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from neatd.actions import worktree
from neatd.errors import NeatError
from neatd.pipeline import worktrees
from neatd.read.walking import Walk
from neatd.store import jobs, projects
from tests.cli_place import Cli
from tests.queue_made import launch, set_up
from tests.repos_made import git

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    top = tmp_path / "repo"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    (top / ".gitignore").write_text("data/\nruns/\noutputs/\n*.bin\n")
    (top / "train.py").write_text("old\n")
    (top / "gone.py").write_text("x\n")
    (top / "weights.dat").write_bytes(bytes(range(256)))
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    (top / "train.py").write_text("new\n")
    (top / "gone.py").unlink()
    (top / "weights.dat").write_bytes(bytes(range(255, -1, -1)))
    (top / "pkg").mkdir()
    (top / "pkg" / "new.py").write_text("y\n")
    (top / "big.txt").write_bytes(b"x" * (worktree.MOST_OF_FILE + 1))
    (top / "data").mkdir()
    (top / "data" / "a.txt").write_text("a")
    (top / "checkpoints").mkdir()
    (top / "checkpoints" / "a.pt").write_text("weights")
    (top / "link.py").symlink_to("/etc/hostname")
    return top


def test_it_holds_the_files_as_they_are(repo: Path, tmp_path: Path) -> None:
    """Changed, deleted, binary and new files; data and outputs are the project's own; nothing of the project changes."""
    before = git(repo, "status", "--porcelain", "--ignored")
    target = tmp_path / "frozen" / "j-1"
    made = worktree.make(repo, git(repo, "rev-parse", "HEAD"), target)
    assert (target / "train.py").read_text() == "new\n" and not (target / "gone.py").exists()
    assert (target / "weights.dat").read_bytes() == bytes(range(255, -1, -1))
    assert (target / "pkg" / "new.py").read_text() == "y\n" and made.left_out == ("big.txt",)
    assert not os.path.lexists(target / "link.py")
    for name in ("data", "checkpoints", "runs", "outputs"):
        assert (target / name).is_symlink() and (target / name).resolve() == repo / name
    assert git(target, "rev-parse", "HEAD") == git(repo, "rev-parse", "HEAD")
    assert git(repo, "status", "--porcelain", "--ignored") == before
    assert git(repo, "branch", "--list").split() == ["*", "main"]
    assert list(worktree.new_files(target, made)) == [] and worktree.state(target) == made.state
    (target / "pkg" / "result.csv").write_text("1")
    (target / "__pycache__").mkdir()
    (target / "__pycache__" / "x.pyc").write_text("1")
    assert list(worktree.new_files(target, made)) == ["pkg/result.csv"]
    worktree.remove(repo, target)
    assert not target.exists() and (repo / "data" / "a.txt").exists() and (repo / "checkpoints" / "a.pt").exists()
    assert len(git(repo, "worktree", "list").splitlines()) == 1


def test_hooks_are_not_run(repo: Path, tmp_path: Path) -> None:
    """A checkout would run the repository's."""
    hook = repo / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    worktree.make(repo, "HEAD", tmp_path / "w")
    assert not (tmp_path / "ran").exists()


def test_nothing_stays_of_one_that_fails(repo: Path, tmp_path: Path) -> None:
    """A commit that is not there is said, as git says it."""
    with pytest.raises(NeatError, match="git worktree in"):
        worktree.make(repo, "0" * 40, tmp_path / "w")
    assert not (tmp_path / "w").exists() and len(git(repo, "worktree", "list").splitlines()) == 1


def test_what_is_linked_from_the_project_is_found_there_alone(tmp_path: Path) -> None:
    """A walk does not follow a link into another worktree of the same project; into another project's it does."""
    for name, number in (("copy", 1), ("main", 1), ("other", 2)):
        (tmp_path / name / "runs" / "a").mkdir(parents=True)
        (tmp_path / name / "neat.yaml").write_text(f'id: "{number:032x}"\n')
    (tmp_path / "copy" / "linked").symlink_to(tmp_path / "main" / "runs")
    (tmp_path / "copy" / "foreign").symlink_to(tmp_path / "other" / "runs")
    walk = Walk(tmp_path / "copy", (), ())
    assert not walk.through(8, 100)
    assert [one.parts for one in walk.listings] == [(), ("foreign",), ("runs",), ("foreign", "a"), ("runs", "a")]


# ---- jobs ----


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = set_up(Cli(tmp_path, monkeypatch, capsys))
    git(made.root, "init", "-q", "-b", "main")
    (made.root / "src").mkdir()
    (made.root / "src" / "lib.py").write_text("VALUE = 1\n")
    git(made.root, "add", ".")
    git(made.root, "commit", "-q", "-m", "first")
    return made


def launch_frozen(cli: Cli, code: str) -> str:
    """The id of a frozen job."""
    return str(launch(cli, "--frozen", "--", sys.executable, "-c", code)["job"])


def test_a_frozen_job_is_not_changed_by_later_edits(cli: Cli, tmp_path: Path) -> None:
    """Its folder is the copy, sources of an editable install are the copy's, and the row says where it is."""
    (cli.root / "src" / "lib.py").write_text("VALUE = 2\n")
    asked = launch_frozen(cli, "import lib; print(lib.VALUE)")
    (cli.root / "src" / "lib.py").write_text("VALUE = 3\n")
    shown = cli.json("show", asked)
    copy = Path(shown["worktree"])
    assert copy == cli.home / "worktrees" / asked and shown["cwd"] == str(copy) and shown["dirty"] == 1
    assert (copy / "src" / "lib.py").read_text() == "VALUE = 2\n"
    frozen = (cli.home / "jobs" / asked / "frozen.json").read_text()
    assert f'"PYTHONPATH": "{copy / "src"}' in frozen


def test_a_worktree_goes_when_nothing_needs_it(cli: Cli) -> None:
    """Not while its job waits, nor within a week after it failed, nor when the job wrote something there."""
    asked = launch_frozen(cli, "pass")
    path = cli.home / "worktrees" / asked
    now = datetime.now(UTC)

    def goes(at: datetime) -> bool:
        with cli.store() as store:
            return worktrees.tidy(store, cli.home, path, at)

    assert not goes(now + timedelta(days=30))
    with cli.store() as store:
        jobs.set_job(store, asked, status="failed")
    assert not goes(now + timedelta(days=1))
    (path / "result.txt").write_text("1")
    assert not goes(now + timedelta(days=8))
    with cli.store() as store:
        assert str(path) in [one.root for one in projects.projects(store)]
    (path / "result.txt").unlink()
    assert goes(now + timedelta(days=8)) and not path.exists()
    assert "has been removed" in cli.refused("retry", asked)


def test_nothing_can_be_frozen_outside_of_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said, and nothing is queued."""
    plain = set_up(Cli(tmp_path, monkeypatch, capsys))
    assert "nothing to freeze" in plain.refused("launch", "--frozen", "--", sys.executable, "-c", "pass")
    assert plain.json("queue", "--all") == []
