"""The report of a day on which a training system was rebuilt: what changed, before and after, services, detections."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_place import Cli
from tests.documents_made import cells, document, git, headings, keep, section


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    git("init", "-q", "-b", "main")
    made.init()
    git("add", "-A")
    git("commit", "-qm", "begin")
    made.ok("handoff", "--template", "report")
    _fill(made)
    return made


def _fill(cli: Cli) -> None:
    keep(
        cli, "bug", "memory leaks", status="fixed", body="50 to 60 GB, until the system kills it",
        cause="all 300k examples are tokenised at once", fix="a thousand at a time", before="50 GB", after="15 GB",
        file=["train.py"], follow_up="look at it weekly",
    )  # fmt: skip
    keep(
        cli,
        "change",
        "RAM in the live page",
        body="- warns at 70 %\n- critical at 85 %",
        file=["stats_api.py", "live.html"],
    )
    keep(cli, "change", "checkpoints in three tiers", before="173 checkpoints, 1004 GB", after="43 checkpoints, 533 GB")
    keep(cli, "change", "documents in folders", before="40 in the root", after="37 in four folders")
    keep(cli, "task", "all monitors run", status="done")
    keep(
        cli, "session", "the upgrade", started="2025-11-12", body="about 3 hours", file=["cleanup.sh", "maintenance.sh"]
    )
    keep(cli, "service", "live monitor", url="http://localhost:8080", about="what the training does")
    keep(cli, "service", "anomaly watcher", about="snapshots of what is odd", status="running")
    keep(
        cli, "machine", "the box", gpu="98 % in use", memory="61 GB, 6.4 in use", body="disk: 533 GB used, 1.2 TB free"
    )
    keep(cli, "assessment", "training is at 46 %, loss 0.745, about 60 % right")
    for title, horizon in (
        ("let the training end", "24-48h"), ("look at the trends", "24-48h"), ("a cron job", "week"), ("deploy", "later"),
    ):  # fmt: skip
        keep(cli, "task", title, horizon=horizon, body="0 4 * * 0 ./cleanup.sh" if title == "a cron job" else "")
    keep(cli, "document", "the index", path="docs/index.md")
    keep(cli, "command", "./maintenance.sh", about="weekly")
    keep(cli, "preference", "show numbers")
    made = cli.add_run("runs/a", {"loss": [0.9, 0.7429]}, status="running", planned_steps=37487)
    cli.add_event(made, "best-loss", 2, 0.7429, severity="info")


def test_what_was_accomplished_is_told_one_by_one(cli: Cli) -> None:
    """Problem, cause, fix, result and files of a fault; a change with what was said of it; the tasks that were done."""
    told = section(document(cli, "report"), "## What was accomplished")
    assert section(told, "### 1. memory leaks (fixed)").splitlines()[:6] == [
        "- **Problem**: 50 to 60 GB, until the system kills it",
        "- **Root cause**: all 300k examples are tokenised at once",
        "- **Fix**: a thousand at a time",
        "- **Result**: 50 GB → 15 GB",
        "- **Files**: `train.py`",
        "- **Still to do**: look at it weekly",
    ]
    panel = section(told, "### 2. RAM in the live page")
    assert "  - warns at 70 %\n  - critical at 85 %\n" in panel and "- **Files**: `stats_api.py`, `live.html`" in panel
    assert "- **Result**: 173 checkpoints, 1004 GB → 43 checkpoints, 533 GB" in section(
        told, "### 3. checkpoints in three tiers"
    )
    assert section(told, "### Tasks done").startswith("1. all monitors run (t-")


def test_the_beginning_counts(cli: Cli) -> None:
    """The session with its length, files and changes."""
    told = document(cli, "report").partition("## ")[0]
    assert "- **the upgrade**, 2025-11-12 (se-" in told and "\n  about 3 hours\n" in told
    assert "- **Files created and modified**: 6" in told and "- **Changes**: 3, **bugs fixed**: 1" in told


def test_before_and_after_stand_side_by_side(cli: Cli) -> None:
    """A row for each thing that was measured."""
    told = section(document(cli, "report"), "## Impact: before and after")
    rows = [cells(told, row)[:3] for row in (1, 2, 3)]
    assert rows == [
        ["memory leaks", "50 GB", "15 GB"],
        ["checkpoints in three tiers", "173 checkpoints, 1004 GB", "43 checkpoints, 533 GB"],
        ["documents in folders", "40 in the root", "37 in four folders"],
    ]


def test_files_are_numbered_with_what_they_are(cli: Cli) -> None:
    """Those that records name, and those that git has seen."""
    (cli.root / "watch.py").write_text("pass")
    git("add", "watch.py")
    git("commit", "-qm", "watch")
    told = section(document(cli, "report"), "## Files created and modified").splitlines()
    assert told[0] == "1. `watch.py`: new" and "5. `cleanup.sh`: the upgrade" in told


def test_the_current_status(cli: Cli) -> None:
    """What runs, with its step and best value; how somebody judged it."""
    told = section(document(cli, "report"), "## Current status")
    assert "- **runs/a**: running, step 2 of 37487 (0 %), best loss 0.7429" in told
    assert "- training is at 46 %, loss 0.745, about 60 % right" in told


def test_resources_and_services(cli: Cli) -> None:
    """Machines and what runs on them; where they answer is an address, told where that is allowed."""
    text = document(cli, "report")
    assert section(text, "### the box").splitlines() == [
        "- **GPU**: 98 % in use",
        "- **Memory**: 61 GB, 6.4 in use",
        "- disk: 533 GB used, 1.2 TB free",
    ]
    told = section(text, "## Services")
    assert "- **live monitor**: what the training does (sv-" in told and "localhost:8080" not in told
    assert "- **anomaly watcher**: snapshots of what is odd [running] (sv-" in told
    cli.ok("allow", "addresses")
    assert "- **live monitor** at http://localhost:8080: what" in section(document(cli, "report"), "## Services")


def test_next_steps_by_horizon(cli: Cli) -> None:
    """Soonest first, each with its commands."""
    told = section(document(cli, "report"), "## Recommended next steps")
    assert [line for line in told.splitlines() if line.startswith("### ")] == [
        "### Next 24 to 48 hours", "### This week", "### Later",
    ]  # fmt: skip
    assert section(told, "### Next 24 to 48 hours").splitlines()[1].startswith("2. look at the trends (t-")
    assert section(told, "### This week").endswith("\n   0 4 * * 0 ./cleanup.sh")


def test_detections_are_events_with_their_snapshots(cli: Cli) -> None:
    """When, which rule, in which run, what was seen."""
    told = section(document(cli, "report"), "## Detections")
    assert " **best-loss** in runs/a: best-loss at 2 (e-" in told


def test_the_quick_reference_has_documents_and_commands(cli: Cli) -> None:
    """Where to read, and what to type."""
    told = section(document(cli, "report"), "## Quick reference")
    assert told.startswith("- `docs/index.md`: the index (o-") and "```bash\n# weekly\n./maintenance.sh\n```" in told


def test_a_second_report_tells_only_what_came_after_the_first(cli: Cli) -> None:
    """It names the one before, which has the rest."""
    first = cli.json("handoff", "--template", "report")["id"]
    keep(cli, "change", "swap is shown")
    text = document(cli, "report")
    assert f"Follows the report {first} (`neat show {first}`). It tells what was done after 2" in text
    assert (
        "### 1. swap is shown" in text
        and "memory leaks" not in text
        and "## Impact: before and after" not in headings(text)
    )
