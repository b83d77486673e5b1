"""What git is told: the driver, its attribute, the hook; put in once, taken out to the byte, nothing of others touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from neatd.actions import gitmerge
from neatd.cli.main import neat, run
from neatd.errors import NeatError
from neatd.store.sync import KNOWLEDGE
from tests.git_places import Place, Places


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Places:
    return Places(tmp_path, monkeypatch, capsys)


@pytest.fixture
def repo(at: Places) -> Place:
    return at.repo()


def test_the_driver_is_put_in_and_taken_out_to_the_byte(repo: Place) -> None:
    """Once, at the end of whatever .gitattributes says; a second time there is nothing to change."""
    repo.neat("sync", "--uninstall")
    path = repo.root / ".gitattributes"
    for before in (b"*.pt binary", b"*.pt binary\r\n# end", b"*.pt binary\r\n# end\r\n", b"\xff\n", None):
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)
        assert gitmerge.would_install(repo.root)
        assert len(repo.neat("sync", "--install")["changed"]) == 3
        assert not gitmerge.would_install(repo.root)
        assert path.read_bytes().startswith(before or b"") and path.read_bytes().count(gitmerge.ATTRIBUTE) == 1
        assert repo.neat("sync", "--install")["changed"] == []
        assert "merge: neat" in repo.git("check-attr", "merge", KNOWLEDGE).stdout
        assert len(repo.neat("sync", "--uninstall")["changed"]) == 2
        assert (path.read_bytes() if path.exists() else None) == before
        assert "merge.neat" not in repo.git("config", "--local", "--list").stdout
    assert repo.neat("sync", "--uninstall")["changed"] == []


def test_a_driver_of_somebody_elses_and_a_link_are_left_alone(repo: Place, tmp_path: Path) -> None:
    """Only what is ours is taken out; attributes are never written through a link."""
    repo.neat("sync", "--install")
    repo.git("config", "merge.neat.driver", "mine %A")
    repo.neat("sync", "--uninstall")
    assert repo.git("config", "merge.neat.driver").stdout == "mine %A\n"
    (tmp_path / "theirs").write_text("")
    (repo.root / ".gitattributes").unlink(missing_ok=True)
    (repo.root / ".gitattributes").symlink_to(tmp_path / "theirs")
    with pytest.raises(NeatError):
        gitmerge.install(repo.root)
    assert (tmp_path / "theirs").read_text() == ""


def test_the_environment_of_a_hook_does_not_mislead(repo: Place, at: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    """git's variables name the repository that is committing; asked about is the project's."""
    other = at("other")
    other.git("init", "-q")
    gitmerge.uninstall(repo.root)
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git" / "index"))
    gitmerge.install(repo.root)
    gitmerge.install_hook(repo.root)
    assert "merge-driver" in (repo.root / ".git" / "config").read_text()
    assert "merge-driver" not in (other.root / ".git" / "config").read_text()
    assert (repo.root / ".git" / "hooks" / "pre-commit").exists()


def test_outside_of_a_repository_nothing_is_installed(at: Places) -> None:
    """`neat init` goes on; who asks for it is told."""
    bare = at("bare")
    bare.neat("init", "--yes")
    assert not gitmerge.would_install(bare.root)
    assert gitmerge.install(bare.root) == [] and not (bare.root / ".gitattributes").exists()
    assert run(neat, ["sync", "--install"]) == 1 and run(neat, ["sync", "--hook"]) == 1


def test_a_commit_takes_the_records_along(repo: Place) -> None:
    """The opted-in hook syncs and adds the file; a commit of named files alone stays what was named."""
    repo.neat("sync", "--install")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "set up")
    assert repo.neat("sync", "--hook")["changed"] and not repo.neat("sync", "--hook")["changed"]
    repo.keep("note", "before the commit")
    (repo.root / "a.py").write_text("a = 1\n")
    repo.git("add", "a.py")
    repo.git("commit", "-q", "-m", "a")
    assert "before the commit" in repo.git("show", f"HEAD:{KNOWLEDGE}").stdout
    repo.keep("note", "and another")
    (repo.root / "a.py").write_text("a = 2\n")
    repo.git("commit", "-q", "-m", "only a", "a.py")
    assert repo.git("show", "--name-only", "--format=", "HEAD").stdout.split() == ["a.py"]
    assert repo.git("status", "--porcelain").stdout == ""
    repo.neat("sync", "--uninstall")
    assert not (repo.root / ".git" / "hooks" / "pre-commit").exists()


def test_a_hook_never_stops_a_commit(repo: Place) -> None:
    """Whatever is wrong with the project: the commit is the person's."""
    repo.neat("sync", "--hook")
    (repo.root / "neat.yaml").write_text("no id\n")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "broken")
    (repo.root / "neat.yaml").unlink()
    repo.git("commit", "-q", "-a", "-m", "gone")


def test_a_hook_that_is_not_ours_is_left_alone(repo: Place, tmp_path: Path) -> None:
    """One that is there already; hooks that other repositories share; what to do instead is said."""
    hook = repo.root / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(NeatError, match="a hook already"):
        gitmerge.install_hook(repo.root)
    gitmerge.uninstall(repo.root)
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"
    repo.git("config", "core.hooksPath", str(tmp_path / "shared"))
    with pytest.raises(NeatError, match="other repositories"):
        gitmerge.install_hook(repo.root)
    assert not (tmp_path / "shared").exists()


def test_a_worktree_has_the_hook_and_the_driver(repo: Place, at: Places) -> None:
    """They belong to the repository; a project may also lie below its top."""
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "begin")
    repo.git("worktree", "add", "-q", "-b", "side", "../tree")
    tree = at("tree")
    gitmerge.install(tree.root)
    assert gitmerge.install_hook(tree.root) and gitmerge.install_hook(repo.root) is None
    assert "merge-driver" in repo.git("config", "merge.neat.driver").stdout
    below = at("one/below it")
    assert gitmerge.install_hook(below.root)
    assert "cd -- 'below it'" in (repo.root / ".git" / "hooks" / "pre-commit").read_text()


def test_what_the_driver_cannot_read_is_a_conflict_as_git_makes_it(repo: Place, tmp_path: Path) -> None:
    """Exit code 1 and git's markers, so that neither side is lost."""
    base, ours, theirs = (tmp_path / name for name in ("base", "ours", "theirs"))
    ours.write_text("mine\n")
    theirs.write_text("other\n")
    base.write_bytes(b"x" * ((64 << 20) + 1))
    assert run(neat, ["merge-driver", str(base), str(ours), str(theirs)]) == 1
    assert "<<<<<<< ours\nmine\n" in ours.read_text() and "other\n" in ours.read_text()


def test_a_line_that_one_side_removed_stays_removed(tmp_path: Path) -> None:
    """Of lines that are not read, which a union would bring back; the others are records, and are never removed so."""
    for name, text in (("base", "a\nb\n"), ("ours", "a\nb\nc\n"), ("theirs", "b\nd\n")):
        (tmp_path / name).write_text(text)
    assert run(neat, ["merge-driver", *(str(tmp_path / name) for name in ("base", "ours", "theirs"))]) == 0
    assert (tmp_path / "ours").read_text() == "b\nc\nd\n"
