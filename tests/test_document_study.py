"""The handoff of a day on which twelve studies ended and a plan was made: results, files, preferences, context."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_place import Cli
from tests.documents_made import cells, document, git, keep, section

RESULTS = {
    "2M": (0.3199, 0.2630, 0.3371),
    "20M": (0.3483, 0.3191, 0.3458),
    "200M": (0.3564, 0.3612, 0.3547),
    "2B": (0.3609, 0.3948, 0.3592),
}
PREFERENCES = {
    "Development": ("tests come first, always", "plan before building", "long runs live in tmux"),
    "Durability": ("what is pending is kept in several places", "comments in code come second"),
    "Documentation": ("merge documents, delete none", "docs/ stays flat but for research_paper/"),
    "Communication": ("no detail is summarised away", "evidence before what is assumed"),
}
PENDING = ["write the extraction script", "make the data files", "analyse in depth", "look at the 14 that diverged"]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    git("init", "-q", "-b", "main")
    made.init()
    git("add", "-A")
    git("commit", "-qm", "begin")
    made.ok("handoff")
    _fill(made)
    return made


def _fill(cli: Cli) -> None:
    for budget, values in RESULTS.items():
        for days, value in zip((1, 3, 5), values, strict=True):
            columns = {"Budget": budget, "Horizon": f"h{days}"}
            keep(
                cli,
                "experiment",
                f"{budget} h{days}",
                metric="val_loss",
                value=value,
                params=columns,
                status="complete",
            )
    keep(cli, "note", "12 of 12 studies, 600 trials, 14 diverged", tags=["context"])
    keep(cli, "note", "first from above, then in detail", tags=["context"])
    keep(cli, "document", "plan of the analysis", path="docs/plan.md", status="approved")
    keep(cli, "session", "a day of planning", assistant="claude-code", file=["docs/appendix.md"])
    keep(cli, "task", "look on while 2B h5 runs", status="done")
    plan = keep(cli, "task", "data for the analysis", status="in progress", body="the plan is approved")
    for number, title in enumerate(PENDING):
        keep(cli, "task", title, horizon="now" if number < 2 else "", **({"parent": plan} if number == 3 else {}))
    keep(cli, "decision", "what to analyse first", why="architecture, then dynamics, then horizons")
    keep(cli, "decision", "laws of scaling come later", context="about 53 % of the data was trained on")
    keep(cli, "decision", "four files and a README", implication=["a CSV of summaries", "a JSON of everything"])
    for about, words in PREFERENCES.items():
        for word in words:
            keep(cli, "preference", word, about=about)


def test_the_twelve_cells_come_out(cli: Cli) -> None:
    """Budget, horizon and loss of each study."""
    told = section(document(cli, "handoff"), "## Experiment progress")
    assert cells(told, 0)[1:] == ["Experiment", "val_loss", "Budget", "Horizon", "Status", "Id"]
    rows = [cells(told, row) for row in range(1, 13)]
    found = {(row[3], row[4]): float(row[2]) for row in rows}
    expected = {
        (budget, f"h{days}"): value
        for budget, values in RESULTS.items()
        for days, value in zip((1, 3, 5), values, strict=True)
    }
    assert found == expected and {row[5] for row in rows} == {"complete"}


def test_a_task_that_is_worked_on_keeps_its_parts(cli: Cli) -> None:
    """The rest is next, or pending."""
    text = document(cli, "handoff")
    told = section(text, "## In progress").splitlines()
    assert told[0].startswith("1. data for the analysis [in progress]") and told[1] == "   the plan is approved"
    assert told[2].startswith(f"   - {PENDING[3]} (t-")
    assert section(text, "## Next session should").startswith(f"1. {PENDING[0]} (now) (t-")
    assert f"\n2. {PENDING[1]} (now) (t-" in section(text, "## Next session should")
    assert section(text, "## Pending").startswith(f"1. {PENDING[2]} (t-")


def test_files_of_the_session_come_from_git_and_from_records(cli: Cli) -> None:
    """Committed since the handoff before, written by neat's documents left out; named by a session or a document."""
    (cli.root / "docs").mkdir()
    (cli.root / "docs" / "plan.md").write_text("plan")
    (cli.root / "extract.py").write_text("pass")
    git("add", "-A")
    git("commit", "-qm", "plan")
    told = section(document(cli, "handoff"), "## Files created and modified this session").splitlines()
    assert told == [
        "- `docs/plan.md`: new; plan of the analysis; approved",
        "- `extract.py`: new",
        "- `docs/appendix.md`: a day of planning",
    ]


def test_documents_tell_their_state(cli: Cli) -> None:
    """Draft, approved or implemented, with the path."""
    told = section(document(cli, "handoff"), "## Documents")
    assert told.startswith("- `docs/plan.md`: plan of the analysis [approved] (o-")


def test_what_was_done_is_told_with_who_did_it(cli: Cli) -> None:
    """Tasks, then sessions."""
    told = section(document(cli, "handoff"), "## Completed this session")
    assert (
        told.startswith("1. look on while 2B h5 runs (t-") and "- Session: a day of planning, claude-code (se-" in told
    )


def test_decisions_stand_with_all_they_have(cli: Cli) -> None:
    """Reason, context, and each thing that follows."""
    told = section(document(cli, "handoff"), "## Key decisions")
    assert "**what to analyse first**: architecture, then dynamics, then horizons (d-" in told
    assert "   - Context: about 53 % of the data was trained on" in told
    assert "   - So: a CSV of summaries\n   - So: a JSON of everything" in told


def test_preferences_come_word_for_word_by_what_they_are_about(cli: Cli) -> None:
    """They are the person's: authoritative, none left out."""
    told = section(document(cli, "handoff"), "## User preferences (authoritative)")
    for about, words in PREFERENCES.items():
        assert section(told, f"### {about}").splitlines() == [f"- {word}" for word in words]


def test_the_context_for_the_next_session(cli: Cli) -> None:
    """Notes with that tag, and how somebody judged where things stand."""
    keep(cli, "assessment", "a milestone is reached")
    told = section(document(cli, "handoff"), "## Context for next session").splitlines()
    assert told[0].startswith("- 12 of 12 studies, 600 trials, 14 diverged") and told[2].startswith("- a milestone")
    assert "## Notes" not in document(cli, "handoff")
