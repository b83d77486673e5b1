"""The notes that go from session to session: machine, checklist, table, observations, bugs, priorities, history."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_place import Cli
from tests.documents_made import cells, document, keep, section, today

DONE = (
    "Keras became PyTorch",
    "a small 3D U-Net",
    "a machine with 40 GB",
    "environment on it",
    "data is there",
    "15 epochs",
)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    _fill(made)
    return made


def _fill(cli: Cli) -> None:
    keep(
        cli, "machine", "A100 node", host="root@203.0.113.7", port="2222", key="~/.ssh/node_ed25519", gpu="A100D-40C (40 GB)",
        driver="550.90.07", provider="Some Intellect", memory="58 GB",
    )  # fmt: skip
    keep(cli, "command", "ssh -i ~/.ssh/node_ed25519 root@203.0.113.7 -p 2222", about="log in")
    for title in DONE:
        keep(cli, "task", title, status="done")
    keep(cli, "task", "the competition's metrics work")
    keep(cli, "task", "find a machine", status="done", horizon="now")
    keep(cli, "task", "fetch the data", horizon="now")
    keep(cli, "task", "log the results", horizon="week")
    note = "a small U-Net on 128³, 15 epochs, 300 volumes"
    keep(cli, "experiment", "baseline", metric="Val Dice", value=0.1373, status="done", body=note)
    keep(cli, "insight", "12.7M parameters, the transformer has 35M")
    keep(cli, "insight", "test-time augmentation: 3 flips, 3 rotations and the original", component="inference")
    keep(cli, "hypothesis", "a topology loss helps", body="for the score of that name", predict="val/dice > 0.20")
    keep(cli, "hypothesis", "patches of 160³", body="128³ may see too little")
    keep(cli, "hypothesis", "hysteresis matters", status="refuted")
    keep(
        cli, "bug", "memory runs out with all 806 volumes", status="fixed", cause="about 100 GB are needed",
        fix="--max-samples", body="58 GB hold about 300 of them (40 GB)", follow_up="load lazily",
    )  # fmt: skip
    keep(cli, "bug", "the script calls another python")
    keep(
        cli,
        "session",
        "the baseline",
        started="2026-02-05",
        ended="2026-02-05",
        body="28 minutes\nempty patches have loss 0",
    )


def test_the_machine_is_told_without_its_address(cli: Cli) -> None:
    """GPU, driver, provider and memory; no host, port or key, nor in a command."""
    text = document(cli, "notes")
    told = section(text, "### A100 node").splitlines()
    assert told == [
        "- **GPU**: A100D-40C (40 GB)",
        "- **Driver**: 550.90.07",
        "- **Provider**: Some Intellect",
        "- **Memory**: 58 GB",
    ]
    assert not any(word in text for word in ("203.0.113.7", "2222", "node_ed25519"))


def test_the_machines_address_is_told_where_that_is_allowed(cli: Cli) -> None:
    """After `neat allow addresses`, with the command that logs in."""
    cli.ok("allow", "addresses")
    text = document(cli, "notes")
    told = section(text, "### A100 node")
    assert "- **Host**: root@203.0.113.7\n- **Port**: 2222\n- **Key**: ~/.ssh/node_ed25519\n" in told
    assert "# log in\nssh -i ~/.ssh/node_ed25519 root@203.0.113.7 -p 2222\n```" in section(text, "## Commands")


def test_the_checklist_has_done_and_open_boxes(cli: Cli) -> None:
    """In their order; what has a time of its own stands under the priorities."""
    told = [line.partition(" (t-")[0] for line in section(document(cli, "notes"), "## Current status").splitlines()]
    assert told == [*(f"- [x] {title}" for title in DONE), "- [ ] the competition's metrics work"]


def test_the_table_has_value_status_and_note(cli: Cli) -> None:
    """As a row of the experiment table."""
    told = section(document(cli, "notes"), "## Experiment progress")
    assert cells(told, 0)[1:-1] == ["Experiment", "Val Dice", "Notes", "Status"]
    assert cells(told, 1)[1:-1] == ["baseline", "0.1373", "a small U-Net on 128³, 15 epochs, 300 volumes", "done"]


def test_observations_and_what_they_are_about(cli: Cli) -> None:
    """Those of no part of the system first."""
    told = section(document(cli, "notes"), "## Key observations")
    assert told.startswith("- 12.7M parameters, the transformer has 35M")
    assert section(told, "### inference").startswith(
        "- test-time augmentation: 3 flips, 3 rotations and the original (i-"
    )


def test_hypotheses_to_test_are_apart_from_those_tested(cli: Cli) -> None:
    """With what is predicted and why."""
    text = document(cli, "notes")
    told = section(text, "## Hypotheses to test")
    assert told.startswith("1. **a topology loss helps**: open; predicted val/dice > 0.20 (h-")
    assert "\n   for the score of that name\n2. **patches of 160³**: open (h-" in told
    assert section(text, "## Hypotheses tested").startswith("1. **hysteresis matters**: refuted")


def test_bugs_have_solution_notes_and_future_fix(cli: Cli) -> None:
    """Whether open or fixed."""
    told = section(document(cli, "notes"), "## Bugs and issues encountered")
    assert "- **Open**: the script calls another python (b-" in told
    at = told.index("- **Fixed**: memory runs out with all 806 volumes (b-")
    assert told[at:].splitlines()[1:5] == [
        "  - Cause: about 100 GB are needed",
        "  - Solution: --max-samples",
        "  - Notes: 58 GB hold about 300 of them (40 GB)",
        "  - Future fix: load lazily",
    ]


def test_done_priorities_are_struck_out(cli: Cli) -> None:
    """In their order, done or not."""
    told = section(document(cli, "notes"), "## Next session priorities").splitlines()
    assert told[0].startswith("1. ~~find a machine~~ ✓ done (now) (t-")
    assert told[1].startswith("2. fetch the data (now) (t-") and told[2].startswith("3. log the results (week) (t-")


def test_without_times_the_priorities_are_the_open_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their order."""
    cli = Cli(tmp_path, monkeypatch, capsys)
    cli.init()
    keep(cli, "task", "first")
    keep(cli, "task", "second", status="done")
    keep(cli, "task", "third")
    told = section(document(cli, "notes"), "## Next session priorities").splitlines()
    assert [line.partition(" (t-")[0] for line in told] == ["1. first", "2. third"]


def test_the_history_tells_each_day(cli: Cli) -> None:
    """A session by the day it began; what was done, what came out and what was seen by the day it was kept."""
    told = section(document(cli, "notes"), "## Session history")
    day = section(told, f"### Session {today()}")
    done = day.partition("**Completed:**\n")[2].partition("\n\n")[0].splitlines()
    assert len(done) == len(DONE) + 2 and done[0].startswith(f"- {DONE[0]} (t-")
    assert "**Results:**\n- baseline: done, Val Dice 0.1373 (w-" in day
    assert "**Observations:**\n- 12.7M parameters" in day
    before = section(told, "### Session 2026-02-05")
    assert before.startswith("**the baseline** (2026-02-05 to 2026-02-05) (se-")
    assert before.endswith("- 28 minutes\n  empty patches have loss 0")
