"""What `neat doctor` says of the files that neat.yaml names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli_place import Cli


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def bad(cli: Cli, line: str) -> list[tuple[str, str, str]]:
    """(what, text, mend) of what is bad, with one more line in neat.yaml."""
    path = cli.root / "neat.yaml"
    before = path.read_text()
    path.write_text(before + line + "\n")
    found = [one for one in json.loads(cli("doctor", "--json").out) if one["state"] == "bad"]
    path.write_text(before)
    return [(one["what"], one["text"], one["mend"]) for one in found]


@pytest.mark.parametrize(
    ("line", "what", "words"),
    [
        ("table_csv: mine.csv", "table_csv", "is not a table that neat wrote"),
        ("table_csv: ../out.csv", "table_csv", "leads out of"),
        ("documents: {handof: h.md}", "documents.handof", "no template"),
        ("documents: {handoff: mine.md}", "documents.handoff", "was not written by neat"),
        ("documents: {handoff: /tmp/h.md}", "documents.handoff", "leads out of"),
        ("documents: {handoff: run.sh}", "documents.handoff", "no document by its ending"),
        ("documents: {handoff: a.md, notes: a.md}", "documents.notes", "two are to be written"),
        ("plan: NONE.md", "plan", "cannot be read"),
        ("plan: ../PLAN.md", "plan", "leads out of"),
        ("notes: ['**x']", "notes", "is no pattern"),
        ("notes: [../NOTES.md]", "notes", "leads out of"),
    ],
)
def test_a_file_that_cannot_be_kept_is_bad_and_has_a_mend(cli: Cli, line: str, what: str, words: str) -> None:
    """Each before the daemon stumbles over it."""
    (cli.root / "mine.csv").write_text("a,b\n1,2\n")
    (cli.root / "mine.md").write_text("# mine\n")
    (found,) = bad(cli, line)
    assert found[0] == what and words in found[1] and found[2]
    assert line.startswith("documents: {handof:") == ("did you mean handoff?" in found[2])


def test_files_that_can_be_kept_are_not_bad(cli: Cli) -> None:
    """Those that are there and those that neat will write; a check writes none."""
    (cli.root / "PLAN.md").write_text("- [ ] x\n")
    (cli.root / "docs").mkdir()
    (cli.root / "docs" / "n.md").write_text("# n\n")
    text = "table_csv: t.csv\nplan: PLAN.md\nnotes: ['docs/*.md']\ndocuments: {handoff: docs/handoff.md}"
    assert bad(cli, text) == [] and bad(cli, "notes: [NONE.md]") == []  # which may come yet: a note
    assert not (cli.root / "t.csv").exists() and not (cli.root / "docs" / "handoff.md").exists()
