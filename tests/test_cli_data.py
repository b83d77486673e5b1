"""`neat data` as a person types it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from neatd.files import is_inside
from tests.cli_place import Cli
from tests.conftest import until
from tests.mother import Born


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def write(cli: Cli, name: str, text: str, age_s: float = 60) -> Path:
    path = cli.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    moment = time.time() - age_s
    os.utime(path, (moment, moment))
    return path


def states(cli: Cli, *words: str) -> dict[str, str]:
    return {one["path"]: one["state"] for one in cli.json("data", "status", *words)["registered"]}


def test_add_says_what_it_kept(cli: Cli) -> None:
    """Hash, size, files and rows; the second time that nothing changed, after a change that it is a new version."""
    path = write(cli, "data/raw/t.csv", "a,b\n1,2\n3,4\n")
    said = cli.ok("data", "add", "data/raw/t.csv")
    assert (
        said == f"registered data/raw/t.csv (raw, {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}, 12 B, 2 rows)\n"
    )
    assert cli.ok("data", "add", "data/raw/t.csv").startswith("unchanged: data/raw/t.csv")
    write(cli, "data/raw/t.csv", "a,b\n1,2\n")
    assert cli.ok("data", "add", "data/raw/t.csv").startswith("a new version of data/raw/t.csv")
    assert [one["status"] for one in cli.json("list", "data")] == ["open", "superseded"]


def test_add_takes_several_and_tells_json(cli: Cli) -> None:
    """A list of what became of each, in order; folders are one version."""
    write(cli, "x/a.jsonl", "{}\n{}\n")
    write(cli, "x/b.png", "p")
    first, second = cli.json("data", "add", "x/a.jsonl", "x", "--processed")
    assert (first["path"], first["rows"], first["stage"], first["what"]) == ("x/a.jsonl", 2, "processed", "added")
    assert (second["path"], second["files"], second["rows"]) == ("x", 2, 2)


def test_a_stage_once_said_stands(cli: Cli) -> None:
    """A later version keeps it, and it may be said anew without a new version."""
    write(cli, "data/raw/t.txt", "a")
    cli.ok("data", "add", "data/raw/t.txt", "--processed")
    write(cli, "data/raw/t.txt", "b")
    assert cli.json("data", "add", "data/raw/t.txt")[0]["stage"] == "processed"
    (same,) = cli.json("data", "add", "data/raw/t.txt", "--raw")
    assert (same["what"], same["stage"]) == ("same", "raw")
    assert cli.json("list", "data")[0]["stage"] == "raw"


def test_mistakes_are_told_with_what_to_do(cli: Cli) -> None:
    """Nothing there, nothing in it, the project itself, neat's own folder."""
    (cli.root / "empty").mkdir()
    assert "no nope" in cli.refused("data", "add", "nope")
    assert "it is empty" in cli.refused("data", "add", "empty")
    assert "the project itself" in cli.refused("data", "add", ".")
    assert "no data" in cli.refused("data", "add", ".neat")
    assert "no nope" in cli.refused("data", "add", "nope", "--background")


def test_status_tells_current_changed_missing(cli: Cli) -> None:
    """By the content: a file that was only touched is still the same."""
    for name in ("same", "touched", "changed", "gone"):
        write(cli, f"data/{name}.txt", name)
        cli.ok("data", "add", f"data/{name}.txt")
    os.utime(cli.root / "data/touched.txt", (5, 5))
    write(cli, "data/changed.txt", "CHANGED", age_s=50)
    (cli.root / "data/gone.txt").unlink()
    found = states(cli)
    assert found == {
        "data/same.txt": "current", "data/touched.txt": "current", "data/changed.txt": "changed",
        "data/gone.txt": "missing",
    }  # fmt: skip
    assert "it holds" in cli.ok("data", "status")


def test_large_data_is_told_by_its_times_until_it_is_checked(cli: Cli) -> None:
    """Status reads no large file by itself: the same size at another time is not known, and --check knows."""
    text = "x" * (17 << 20)
    write(cli, "data/big.bin", text)
    cli.ok("data", "add", "data/big.bin")
    assert states(cli) == {"data/big.bin": "current"}
    write(cli, "data/big.bin", "y" + text[1:], age_s=30)
    assert states(cli) == {"data/big.bin": "unchecked"}
    assert "--check" in cli.ok("data", "status")
    assert states(cli, "--check") == {"data/big.bin": "changed"}
    write(cli, "data/big.bin", text + "z", age_s=30)
    assert states(cli) == {"data/big.bin": "changed"}


def test_a_record_without_a_hash_is_not_called_changed(cli: Cli) -> None:
    """As notes bring them: a path, perhaps the beginning of a hash, perhaps neither."""
    digest = hashlib.sha256(b"a").hexdigest()
    for name, known in (("none", ""), ("short", digest[:10]), ("md5", "0" * 32)):
        write(cli, f"data/{name}.txt", "a")
        cli.ok("data", "add", f"data/{name}.txt")
        with cli.store() as store:
            store.execute("UPDATE data SET hash = ? WHERE path = ?", (known, f"data/{name}.txt"))
    write(cli, "data/pathless.txt", "a")
    cli.ok("data", "add", "data/pathless.txt")
    with cli.store() as store:
        store.execute("UPDATE data SET path = '' WHERE path = 'data/pathless.txt'")
    assert states(cli) == {"data/none.txt": "unchecked", "data/short.txt": "current", "data/md5.txt": "unchecked"}


def test_status_lists_what_is_not_registered(cli: Cli) -> None:
    """Files one by one, a folder without anything registered as one, of many loose files the number."""
    write(cli, "data/known.csv", "a\n")
    write(cli, "data/loose.csv", "a\n")
    for number in range(3):
        write(cli, f"data/images/{number}.png", "p")
    for number in range(30):
        write(cli, f"data/raw/{number}.txt", "t")
    cli.ok("data", "add", "data/known.csv")
    found: list[dict[str, Any]] = cli.json("data", "status")["unregistered"]
    assert {(one["path"], one["files"]) for one in found} == {
        ("data/loose.csv", 1), ("data/images/", 3), ("data/raw/", 30),
    }  # fmt: skip
    cli.ok("data", "add", "data")
    assert cli.json("data", "status")["unregistered"] == []


def test_the_configured_folders_come_before_the_usual_ones(cli: Cli) -> None:
    """neat.yaml says where the data is and what was done to it; a path that leads out is refused."""
    config = cli.root / "neat.yaml"
    text = config.read_text()
    write(cli, "store/in/a.csv", "a\n")
    write(cli, "data/b.csv", "b\n")
    config.write_text(text + "data: {raw: [store/in], processed: [store/out]}\n")
    found = cli.json("data", "status")
    assert found["folders"] == ["store/in"]
    assert [(one["path"], one["stage"]) for one in found["unregistered"]] == [("store/in/a.csv", "raw")]
    config.write_text(text + "data: {raw: [../elsewhere]}\n")
    assert "leads out" in cli.refused("data", "status")


def test_data_outside_the_project_is_taken_at_a_persons_word(cli: Cli, tmp_path: Path) -> None:
    """By its whole path, or through a link of the project's."""
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "a.csv").write_text("h\n1\n")
    (cli.root / "linked").symlink_to(disk)
    cli.ok("data", "add", str(disk / "a.csv"), "linked")
    assert states(cli) == {(disk / "a.csv").as_posix(): "current", "linked": "current"}
    (disk / "a.csv").write_text("h\n1\n2\n")
    assert set(states(cli).values()) == {"changed"}


def test_in_the_background_it_waits_for_the_daemon(cli: Cli) -> None:
    """Said at once; without a daemon, that nobody hashes yet; status shows it as what is to come."""
    write(cli, "data/a.csv", "a\n")
    answer = cli("data", "add", "data/a.csv", "--background")
    assert "neatd will hash data/a.csv" in answer.out and "not running" in answer.err
    assert states(cli) == {"data/a.csv": "hashing"} and cli.json("list", "data") == []


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_ctrl_c_loses_nothing_that_was_hashed(cli: Cli) -> None:
    """The small files before the endless one are known the next time."""
    for number in range(3):
        write(cli, f"data/{number}.txt", str(number))
    slow = cli.root / "data" / "slow.bin"
    with slow.open("wb") as file:
        file.truncate(40 << 30)  # a hole: no disk is used, and hashing it takes most of a minute
    os.utime(slow, (1, 1))
    program = "from neatd.cli.main import main; main()"
    child = Born(
        [sys.executable, "-c", program, "data", "add", "data"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    fds = Path(f"/proc/{child.pid}/fd")
    opened = lambda: any(os.path.realpath(one) == str(slow) for one in fds.iterdir()) if fds.exists() else True  # noqa: E731
    until(opened, "the slow file to be read")
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert child.returncode == 130 and "Traceback" not in errors
    (saved,) = (cli.home / "datahash").glob("*.json")
    assert all(f"{number}.txt" in saved.read_text() for number in range(3))
    assert cli.json("list", "data") == []


def test_raw_and_processed_together_are_a_mistake(cli: Cli) -> None:
    """In either order; nothing is registered."""
    write(cli, "data/raw/t.csv", "a\n1\n")
    for words in (("--raw", "--processed"), ("--processed", "--raw")):
        assert cli("data", "add", "data/raw", *words).code == 2
    assert cli.json("list", "data") == []
    cli.ok("data", "add", "data/raw", "--processed")
    assert cli.json("list", "data")[0]["stage"] == "processed"


def test_a_link_in_a_circle_is_an_error_with_words(cli: Cli) -> None:
    """Typed itself, as a part of a path, or for the background; in a folder it is left out, and status goes on."""
    write(cli, "data/t.csv", "a\n1\n")
    (cli.root / "data/loop").symlink_to("loop")
    for words in (("data/loop",), ("data/loop/x",), ("data/loop", "--background")):
        found = cli("data", "add", *words)
        assert found.code == 1 and "a link that leads in a circle" in found.err
    assert "left out: 1 link(s)" in cli.ok("data", "add", "data")
    (cli.root / "datasets").symlink_to("datasets")
    cli.ok("data", "status")
    assert not is_inside(cli.root / "datasets", cli.root)
