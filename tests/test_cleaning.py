"""A project's own patterns of secrets: on write, on render, in the export, and for what was kept before they were known."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_place import Cli

SECRET = "internal-123456"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def know(cli: Cli, pattern: str = "internal-[0-9]{6}") -> None:
    config = cli.root / "neat.yaml"
    config.write_text(config.read_text() + f'secrets: ["{pattern}"]\n')


def test_a_pattern_of_the_project_is_taken_out_on_write(cli: Cli) -> None:
    """In text, in lists, in parameters, in a changed field."""
    know(cli)
    cli.ok("bug", f"the {SECRET} leaks", "--cause", SECRET, "--file", f"{SECRET}.txt")
    cli.ok("experiment", "x", "--params", f"key={SECRET}")
    note = cli.keep("note", "plain")
    cli.ok("edit", note, f"body=see {SECRET}")
    assert SECRET not in cli.ok("list", "--json") and SECRET not in cli.ok("show", note)
    assert SECRET.encode() not in b"".join(path.read_bytes() for path in cli.home.glob("neat.db*"))


def test_what_was_kept_before_is_hidden_in_documents(cli: Cli) -> None:
    """On render, before anything is cleaned."""
    cli.ok("decide", f"rotate {SECRET}")
    assert SECRET in cli.ok("brief")
    know(cli)
    assert SECRET not in cli.ok("brief") and SECRET not in cli.ok("handoff", "--no-keep")


def test_what_was_kept_before_is_cleaned_by_a_sync(cli: Cli) -> None:
    """Records and their history; the export never held it."""
    note = cli.keep("note", f"first {SECRET}")
    cli.ok("edit", note, f"title=then {SECRET}")
    know(cli)
    cli.ok("sync")
    assert SECRET not in (cli.root / ".neat" / "knowledge.jsonl").read_text()
    assert SECRET not in cli.ok("show", note, "--json") and "then [secret removed]" in cli.ok("show", note)
    assert cli.json("search", "then")[0]["id"] == note


def test_a_dangerous_pattern_is_refused_with_the_rules(cli: Cli) -> None:
    """One that could run for minutes would hold up every command."""
    know(cli, "(a+)+b")
    assert "a group is repeated" in cli.refused("brief")
