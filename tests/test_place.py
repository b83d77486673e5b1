"""Where a command runs: its home, its project, its branch, by a few reads of files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from neatd.errors import ConfigError, NeatError
from neatd.place import find_root, git_head, here, neat_home, project_identity, short_path
from tests.store_rows import child, output

ID = "0B1F7C52-9a1e-4a3c-8a57-3f6c2d0e9b11"


def project(root: Path, text: str | bytes = f"id: {ID}\nname: demo\n") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / "neat.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def test_home_is_neat_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Absolute, whatever folder a command is called in, with ~ for the user's folder; it is not made by asking."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEAT_HOME", "a/../b")
    assert neat_home() == tmp_path / "b" and not (tmp_path / "b").exists()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("NEAT_HOME", "~/c")
    assert neat_home() == tmp_path / "c"


def test_without_neat_home_it_is_the_platforms_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Of this user; an empty variable is none."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("NEAT_HOME", "")
    assert neat_home().name == "neat" and neat_home().is_absolute()


def test_the_project_is_the_nearest_one_above(tmp_path: Path) -> None:
    """A project inside another is its own."""
    outer, inner = project(tmp_path / "a"), project(tmp_path / "a" / "b" / "c")
    deep = inner / "d" / "e"
    deep.mkdir(parents=True)
    assert [find_root(folder) for folder in (deep, inner, inner.parent, outer)] == [inner, inner, outer, outer]
    assert find_root(tmp_path) is None


def test_a_place_holds_project_and_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The id in small letters, as the store has it; by the working folder, or by the one given."""
    root = project(tmp_path / "p")
    (root / "src").mkdir()
    monkeypatch.chdir(root / "src")
    assert here() == here(root) == (root, ID.lower(), "demo", "", "")


def test_outside_of_any_project_the_error_says_what_to_do(tmp_path: Path) -> None:
    """By name of the folder."""
    with pytest.raises(NeatError, match=r"no neat\.yaml in") as caught:
        here(tmp_path)
    assert str(tmp_path) in caught.value.message and "neat init" in caught.value.hint


IN_A_REMOVED_FOLDER = """
import os, sys
from neatd.errors import NeatError
from neatd.place import here
os.chdir(sys.argv[1])
os.rmdir(sys.argv[1])
try:
    here()
except NeatError as error:
    print(error.message)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a folder that is in use")
def test_a_working_folder_that_was_removed_is_a_mistake_and_no_crash(tmp_path: Path) -> None:
    """As after a `git checkout` in another window."""
    (tmp_path / "gone").mkdir()
    assert output(child(IN_A_REMOVED_FOLDER, tmp_path / "gone")) == "the working folder was removed\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [(f"id: {ID}\nname: demo\n", "demo"), (f'name: "my net"   # the name\nid: "{ID}"  # do not change\n', "my net"),
     (f"id: '{ID}'\nname: 'x'\n", "x"), (f"# id: none\r\nid: {ID}\r\nname: größe\r\n", "größe"), (f"id: {ID}", "folder"),
     (f"watch:\n  name: inner\n  id: {'1' * 36}\nid: {ID}\n", "folder"), (f"\ufeffid: {ID}\nname: bom\n", "bom")],
)  # fmt: skip
def test_id_and_name_are_read_as_people_write_them(tmp_path: Path, text: str, name: str) -> None:
    """Quotes, comments, Windows line ends, a byte order mark; the folder's name when there is none."""
    assert project_identity(project(tmp_path / "folder", text)) == (ID.lower(), name)


@pytest.mark.parametrize(
    "text", ["", "name: demo\n", "id:\n", "id: 12\n", " id: " + ID, b"\xff\xfe\x00", f"- id: {ID}"]
)
def test_a_file_without_an_id_is_a_mistake_that_is_named(tmp_path: Path, text: str | bytes) -> None:
    """With the path, and what to do."""
    root = project(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        project_identity(root)
    assert str(root / "neat.yaml") in caught.value.message and caught.value.hint


COMMIT = "a" * 40


def repository(root: Path, head: str, **refs: str) -> Path:
    (root / ".git" / "refs" / "heads").mkdir(parents=True)
    (root / ".git" / "HEAD").write_text(head)
    for name, text in refs.items():
        (root / ".git" / "refs" / "heads" / name).write_text(text)
    return root


def test_branch_and_commit_are_read_from_gits_files(tmp_path: Path) -> None:
    """From a folder inside, too; the tests of git's state compare it with git itself."""
    repository(tmp_path, "ref: refs/heads/main\n", main=COMMIT + "\n")
    (tmp_path / "sub").mkdir()
    assert git_head(tmp_path / "sub") == ("main", COMMIT)


def test_a_packed_commit_is_found_by_its_whole_name(tmp_path: Path) -> None:
    """Not by that of a branch that ends like it."""
    repository(tmp_path, "ref: refs/heads/b\n")
    lines = [
        "# pack-refs with: peeled",
        f"{'c' * 40} refs/heads/a/refs/heads/b",
        f"{COMMIT} refs/heads/b",
        f"^{'d' * 40}",
    ]
    (tmp_path / ".git" / "packed-refs").write_text("\n".join(lines))
    assert git_head(tmp_path) == ("b", COMMIT)


def test_a_git_file_that_leads_nowhere_is_no_error(tmp_path: Path) -> None:
    """As a worktree whose repository was moved."""
    (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert git_head(tmp_path) == ("", "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no ~")
def test_a_path_in_the_users_folder_is_shown_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A neighbour that begins like it is not in it."""
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert short_path(tmp_path / "me" / "a") == "~/a"
    assert short_path(tmp_path / "me2" / "a") == str(tmp_path / "me2" / "a")
