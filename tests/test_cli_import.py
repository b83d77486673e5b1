"""`neat import`: what people have already comes in whole, once, and follows their edits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_place import Cli

NOTES = """# Handoff

## Decisions
- **Patch size**: train on 128 cubed patches, 160 does not fit

## Next steps
- [ ] run the sweep
  - [ ] write its runner
- [x] clean the data

## Results
| Experiment | val_loss | Notes |
|---|---|---|
| wide | 0.3081 | d=768, L=24 |
| deep | 0.3571 | d=384, L=96 |
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    (made.root / "HANDOFF.md").write_text(NOTES)
    return made


def test_every_line_is_placed_or_listed(cli: Cli) -> None:
    """lines = placed + unplaced; each record cites the file and its lines."""
    found = cli.json("import", "HANDOFF.md")
    assert (
        found["lines"] == found["placed"] + len(found["unplaced"]) == len([x for x in NOTES.splitlines() if x.strip()])
    )
    wide = next(one for one in found["records"] if one["title"] == "wide")
    assert (wide["kind"], wide["value"], wide["params"]["d"], wide["file"]) == ("experiment", 0.3081, 768, "HANDOFF.md")
    (kept,) = [one for one in cli.json("list", "experiment") if one["title"] == "wide"]
    assert kept["origin"][0].startswith("HANDOFF.md:") and kept["source"] == "import"


def test_a_dry_run_keeps_nothing(cli: Cli) -> None:
    """And says what would be."""
    assert "would be" in cli.ok("import", "HANDOFF.md", "--dry-run")
    assert cli.json("list") == []


def test_the_same_file_twice_changes_nothing(cli: Cli) -> None:
    """Also under another name."""
    cli.ok("import", "HANDOFF.md")
    before = cli.json("list")
    (cli.root / "copy.md").write_text(NOTES)
    for name in ("HANDOFF.md", "copy.md"):
        assert {one["action"] for one in cli.json("import", name)["records"]} == {"unchanged"}
    assert cli.json("list") == before


def test_an_edited_file_updates(cli: Cli) -> None:
    """What changed changes, what is new comes, what is gone goes; the rest keeps its time."""
    cli.ok("import", "HANDOFF.md")
    before = {one["title"]: one for one in cli.json("list")}
    text = NOTES.replace("0.3571", "0.3412").replace("- [ ] run the sweep", "- [x] run the sweep")
    (cli.root / "HANDOFF.md").write_text(text.replace("| wide | 0.3081 | d=768, L=24 |\n", "| tall | 0.4 | d=96 |\n"))
    cli.ok("import", "HANDOFF.md")
    after = {one["title"]: one for one in cli.json("list")}
    assert after["deep"]["value"] == 0.3412 and after["deep"]["id"] == before["deep"]["id"]
    assert after["run the sweep"]["status"] == "done"
    assert "wide" not in after and "tall" in after
    assert after["clean the data"] == before["clean the data"]


def test_a_box_under_a_box_is_a_subtask(cli: Cli) -> None:
    """By the id of the task it stands under."""
    cli.ok("import", "HANDOFF.md")
    tasks = {one["title"]: one for one in cli.json("list", "task")}
    assert tasks["write its runner"]["parent"] == tasks["run the sweep"]["id"]


def test_a_decision_log_ends_what_it_supersedes(cli: Cli) -> None:
    """By the number that the log gives it; one that is not there does no harm."""
    folder = cli.root / "docs" / "adr"
    folder.mkdir(parents=True)
    for number, title, more in (("0005", "Use cubes", ""), ("0006", "Use slabs", "Supersedes ADR-0005\n\n")):
        text = f"# ADR-{number}: {title}\n\n## Status\n\nAccepted. {more}\n\n## Context\n\nMemory.\n\n## Decision\n\n{title}.\n"
        (folder / f"ADR-{number}.md").write_text(text)
    cli.ok("import", "docs/adr/ADR-0005.md", "docs/adr/ADR-0006.md")
    found = {one["title"]: one["status"] for one in cli.json("list", "decision")}
    assert len(found) == 2 and sorted(found.values())[-1] == "superseded", found


def test_a_decision_log_by_numbers_and_dates(cli: Cli) -> None:
    """As adr-tools writes it: accepted, of its own date, and ending the one that it names by number."""
    folder = cli.root / "docs" / "adr"
    folder.mkdir(parents=True)
    head = "# {}. {}\n\nDate: {}\n\n## Status\n\nAccepted{}\n\n## Context\n\nMemory.\n\n## Decision\n\nWe do it.\n"
    (folder / "0003-use-sgd.md").write_text(head.format(3, "Use SGD", "2024-05-01", ""))
    (folder / "0007-use-adamw.md").write_text(head.format(7, "Use AdamW", "2024-06-02", ", supersedes ADR 3"))
    cli.ok("import", "docs/adr/0003-use-sgd.md", "docs/adr/0007-use-adamw.md")
    found = {one["title"].split()[-1]: one for one in cli.json("list", "decision")}
    assert found["SGD"]["status"] == "superseded" and found["AdamW"]["status"] == "accepted"
    assert found["SGD"]["created_at"][:7] in ("2024-04", "2024-05") and found["AdamW"]["created_at"] > "2024-05-31"


def test_what_neat_wrote_is_not_read_back(cli: Cli) -> None:
    """Its block in CLAUDE.md and its documents hold what the store holds already."""
    claude = cli.root / "CLAUDE.md"
    claude.write_text(claude.read_text() + "\n## Code style\n- absolute imports\n")
    found = cli.json("import", "CLAUDE.md")
    assert {one["kind"] for one in found["records"]} == {"style"} and found["lines"] == 2
    config = cli.root / "neat.yaml"
    config.write_text(config.read_text() + "documents: {handoff: kept.md}\n")
    cli.ok("handoff")
    assert cli.json("import", "kept.md") == {"records": [], "lines": 0, "placed": 0, "unplaced": [], "removed": []}


@pytest.mark.parametrize(
    "content", [b"", b"\n\n\n", b"\x00\x01\x02\xff" * 50, b"x" * 300_000], ids=["empty", "blank", "binary", "long"]
)
def test_odd_files_are_no_error(cli: Cli, content: bytes) -> None:
    """Whatever the bytes: every line placed or listed."""
    (cli.root / "odd.md").write_bytes(content)
    found = cli.json("import", "odd.md")
    assert found["lines"] == found["placed"] + len(found["unplaced"])


def test_a_missing_file_is_said(cli: Cli) -> None:
    """With what to do; nothing of the others is lost."""
    assert "cannot be read" in cli.refused("import", "none.md")
