"""`neat sync` as a person sees it: what it says, what it answers as JSON, what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_place import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def test_it_says_what_went_in_and_out(cli: Cli) -> None:
    """And, when there is nothing to do, that."""
    cli.keep("note", "one")
    path = cli.root / ".neat" / "knowledge.jsonl"
    assert (
        cli.ok("sync", "--dry-run") == f"would take in: nothing\nwould write 1 line of 1: {path}\n"
        and not path.exists()
    )
    assert cli.ok("sync") == f"took in: nothing\nwrote 1 line of 1: {path}\n"
    assert cli.ok("sync") == f"took in: nothing\nno line to write: {path}\n"


def test_a_line_that_is_refused_is_named_with_its_file_and_number(cli: Cli) -> None:
    """On stderr, so that a script sees it too; the command has still done its work."""
    path = cli.root / ".neat" / "knowledge.jsonl"
    path.write_text('{"kind": "dream"}\n')
    answer = cli("sync")
    assert answer.code == 0 and f"{path}:1: not taken in, and kept as it is: unknown kind 'dream'" in answer.err
    found = cli.json("sync")
    assert found["refused"] == [{"file": str(path), "line": 1, "why": "unknown kind 'dream'"}]
    assert set(found) >= {
        "path",
        "records",
        "added",
        "changed",
        "deleted",
        "merged",
        "sent",
        "is_written",
        "is_dry_run",
    }


def test_both_sides_of_a_conflict_are_taken_and_it_is_said(cli: Cli) -> None:
    """git still has to be told."""
    cli.keep("note", "one")
    cli.ok("sync")
    path = cli.root / ".neat" / "knowledge.jsonl"
    text = path.read_text()
    path.write_text(f"<<<<<<< HEAD\n{text}=======\n{text.replace('one', 'two')}>>>>>>> side\n")
    answer = cli("sync")
    assert "`git add`" in answer.err and "changed on both sides: n-" in answer.out and "<<<<" not in path.read_text()


@pytest.mark.parametrize("words", [("--install", "--uninstall"), ("--dry-run", "--hook"), ("--dry-run", "--uninstall")])
def test_options_that_exclude_each_other_are_wrong_usage(cli: Cli, words: tuple[str, ...]) -> None:
    """Nothing is done."""
    assert cli("sync", *words).code == 2


def test_a_link_that_leads_out_is_an_error_of_two_lines(cli: Cli, tmp_path: Path) -> None:
    """As every mistake."""
    (cli.root / ".neat" / "knowledge.jsonl").symlink_to(tmp_path / "outside")
    assert "leads out" in cli.refused("sync")


def test_addresses_do_not_travel_and_stay_here(cli: Cli) -> None:
    """Hosts, ssh commands and key paths, in fields and in anybody's words; a sync takes none of them from this machine."""
    cli.ok("machine", "node", "--host", "root@203.0.113.17", "--body", "ssh -i ~/.ssh/lambda -p 2222 root@203.0.113.17")
    note = cli.keep("note", "connect to ubuntu@198.51.100.23 first")
    for _ in range(2):
        cli.ok("sync")
        text = (cli.root / ".neat" / "knowledge.jsonl").read_text()
        assert not [word for word in ("203.0.113", "198.51.100", ".ssh/lambda", "2222") if word in text]
        assert cli.json("list", "note")[0]["title"] == "connect to ubuntu@198.51.100.23 first"
        assert "203.0.113.17" in cli.json("list", "machine")[0]["body"]
        cli.ok("edit", note, "tags=vm")
