"""The handoff of a day on which others ran: a parameter search under way, a queue of experiments, nothing edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_place import Cli
from tests.documents_made import cells, document, git, headings, keep, section, today

QUEUE = [
    ("d=768, L=28, h=12", "199M", "h3", 3072, "deeper than 24 layers"),
    ("d=768, L=28, h=16", "199M", "h3", 3072, "deeper than 24 layers"),
    ("d=768, L=28, h=24", "199M", "h3", 3072, "deeper than 24 layers"),
    ("d=768, L=30, h=12", "213M", "h3", 3072, "where depth ends"),
    ("d=768, L=30, h=16", "213M", "h3", 3072, "where depth ends"),
    ("d=768, L=30, h=24", "213M", "h3", 3072, "where depth ends"),
    ("d=768, L=24, h=16", "170M", "h1", 3072, "best on h3, new on h1"),
    ("d=1024, L=20, h=16", "168M", "h1", 2048, "between 16 and 24 layers"),
    ("d=1024, L=20, h=16", "168M", "h3", 2048, "between 16 and 24 layers"),
]
STUDIES = [
    ("200M_h1", "46/50", 0.3633, "d=1024, L=12, h=16", "running"),
    ("200M_h3", "50/50", 0.3081, "d=768, L=24, h=16", "done"),
    ("200M_h5", "19/50", 0.3571, "d=384, L=96, h=8", "running"),
]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    git("init", "-q", "--bare", str(tmp_path / "origin.git"))
    git("init", "-q", "-b", "main")
    (made.root / "log.csv").write_text("a\n")
    made.init()
    git("add", "-A")
    git("commit", "-qm", "post-process the search")
    git("remote", "add", "origin", str(tmp_path / "origin.git"))
    git("push", "-qu", "origin", "main")
    (made.root / "log.csv").write_text("a\nb\n")
    (made.root / "run_2M.sh").write_text("true\n")
    keep(made, "task", "a task of the day before", status="done")
    made.ok("handoff")
    _fill(made)
    return made


def _fill(cli: Cli) -> None:
    keep(cli, "phase", "6A: parameter scaling", status="in progress", body="the search is running")
    keep(cli, "test", "make test", command="make test", passed=342, failed=0, exit_code=0)
    for name, trials, value, best, status in STUDIES:
        columns = {"Trials": trials, "Best architecture": best}
        keep(cli, "experiment", name, metric="val_loss", value=value, params=columns, status=status)
    for name, params, horizon, width, reason in QUEUE:
        row = {"d_ff": width, "Params": params, "Task": horizon}
        keep(cli, "experiment", name, params=row, status="queued", body=reason)
    keep(cli, "note", "28 and 30 layers: 24 won, so more may help", tags=["queue"])
    keep(cli, "note", "d_ff of 2048 holds 20 layers of 1024 within 200M", tags=["queue"])
    keep(
        cli,
        "insight",
        "by width: 768 and 1024 win",
        component="200M_h3",
        body="- 768: best 0.3081, mean 0.409\n- 1024: best 0.3120",
    )
    keep(cli, "insight", "by depth: 12 to 24 layers", component="200M_h3")
    keep(cli, "task", "watch the search", status="done")
    keep(cli, "task", "define the queue", status="done", body="nine of them")
    keep(cli, "task", "the search of h5", status="in progress")
    keep(cli, "task", "wait for h1 (4 trials) and h5 (31)", horizon="now")
    keep(cli, "task", "commit the runner scripts", horizon="now")
    keep(cli, "task", "compare the horizons", horizon="week")
    keep(cli, "decision", "the queue has 20-layer tests", why="the grid leaves 20 out", implication=["for h1 and h3"])
    keep(cli, "decision", "heads of 768 are its divisors", context="1, 2, 3, 4, 6, 8, 12 and so on")
    keep(cli, "data", "daily bars", path="data/raw.csv", stage="raw", rows=2, hash="ab" * 32)
    keep(cli, "data", "windows", path="data/windows.csv", stage="processed", rows=2)
    keep(cli, "command", "make test", about="all tests")
    keep(cli, "command", "python - <<'EOF'", body="for name in names:\n    print(name)\nEOF", about="the best so far")


def test_the_title_has_project_and_date(cli: Cli) -> None:
    """And the line below names the handoff before."""
    text = document(cli, "handoff")
    assert text.startswith(f"# Session handoff: project, {today()} ")
    before = cli.json("handoff", "--list")[0]["id"]
    assert f"Follows the handoff {before} (`neat show {before}`). This session began after {today()} " in text


def test_branch_and_git(cli: Cli) -> None:
    """Branch, last commit, each uncommitted file with its mark, and how far the remote is."""
    told = section(document(cli, "handoff"), "### Branch and git").splitlines()
    assert told == [
        "- **Branch**: main",
        f"- **Last commit**: `{git('rev-parse', 'HEAD')[:8]}` post-process the search",
        "- **Uncommitted changes**:",
        "  - `log.csv` modified",
        "  - `run_2M.sh` NEW (untracked)",
        "- **Remote**: up to date with origin/main",
    ]


def test_commits_the_remote_lacks_are_counted(cli: Cli) -> None:
    """Ahead, and files that were added or deleted since the last commit."""
    git("commit", "-qam", "second")
    (cli.root / "log.csv").unlink()
    git("add", "run_2M.sh")
    told = section(document(cli, "handoff"), "### Branch and git")
    assert "- **Remote**: 1 ahead, 0 behind of origin/main" in told
    assert "  - `log.csv` deleted" in told and "  - `run_2M.sh` NEW (added)" in told


def test_phase_and_status(cli: Cli) -> None:
    """The phase with its status and what was said of it."""
    told = section(document(cli, "handoff"), "### Project phase")
    assert told.startswith("- **6A: parameter scaling**: in progress") and told.endswith("\n  the search is running")


def test_tests_tell_command_result_and_counts(cli: Cli) -> None:
    """The last result of each command, and what fails."""
    told = section(document(cli, "handoff"), "## Test status")
    assert told.startswith("- **Last `make test`**: PASS (342 passed, 0 failed), " + today())
    assert "- **Failing**: none" in told
    keep(
        cli, "test", "make test", command="make test", passed=340, failed=2, exit_code=1, failing=["t.py::a", "t.py::b"]
    )
    told = section(document(cli, "handoff"), "## Test status")
    assert "FAIL (340 passed, 2 failed)" in told and "  - `t.py::b`" in told and "342" not in told


def test_the_progress_of_the_studies_is_a_table(cli: Cli) -> None:
    """A column for the metric and each parameter, a row for each study."""
    told = section(document(cli, "handoff"), "## Experiment progress")
    assert cells(told, 0)[1:] == ["Experiment", "val_loss", "Trials", "Best architecture", "Status", "Id"]
    for row, (name, trials, value, best, status) in enumerate(STUDIES, 1):
        assert cells(told, row)[:-1] == [str(row), name, str(value), trials, best, status]


def test_patterns_stand_under_what_they_are_of(cli: Cli) -> None:
    """With their lists whole."""
    told = section(document(cli, "handoff"), "### 200M_h3")
    assert "- by width: 768 and 1024 win" in told and "- by depth: 12 to 24 layers" in told
    assert "\n  - 768: best 0.3081, mean 0.409\n  - 1024: best 0.3120\n" in told


def test_the_queue_has_its_nine_rows_and_its_reasons(cli: Cli) -> None:
    """Each row with its columns and its note; the rationale below."""
    told = section(document(cli, "handoff"), "## Manual test queue (9)")
    assert cells(told, 0) == ["#", "Experiment", "d_ff", "Params", "Task", "Notes", "Status", "Id"]
    for row, (name, params, horizon, width, reason) in enumerate(QUEUE, 1):
        assert cells(told, row)[:-1] == [str(row), name, str(width), params, horizon, reason, "queued"]
    rationale = told.partition("**Rationale:**")[2]
    assert "- 28 and 30 layers: 24 won" in rationale and "- d_ff of 2048 holds 20 layers" in rationale


def test_completed_in_progress_pending_and_next_are_apart(cli: Cli) -> None:
    """What is done, worked on, near and far; what was done before this session is in the handoff before."""
    text = document(cli, "handoff")
    done = section(text, "## Completed this session")
    assert done.startswith("1. watch the search (t-") and "\n2. define the queue (t-" in done
    assert done.endswith("\n   nine of them") and "the day before" not in text
    assert section(text, "## In progress").startswith("1. the search of h5 [in progress] (t-")
    assert section(text, "## Pending").startswith("1. compare the horizons (week) (t-")
    told = section(text, "## Next session should").splitlines()
    assert told[0].startswith("1. wait for h1 (4 trials) and h5 (31) (now)") and told[1].startswith(
        "2. commit the runner"
    )


def test_decisions_have_reason_context_and_what_follows(cli: Cli) -> None:
    """Each on lines of its own below its decision."""
    told = section(document(cli, "handoff"), "## Key decisions")
    assert "**the queue has 20-layer tests**: the grid leaves 20 out (d-" in told
    assert "   - So: for h1 and h3" in told and "   - Context: 1, 2, 3, 4, 6, 8, 12 and so on" in told


def test_data_versions_by_stage(cli: Cli) -> None:
    """Raw and processed, each with its rows and hash."""
    told = section(document(cli, "handoff"), "## Data versions")
    assert "- **Raw**: 1\n  - `data/raw.csv`: daily bars, 2 rows, sha256 abababababababab (z-" in told
    assert "- **Processed**: 1\n  - `data/windows.csv`: windows, 2 rows (z-" in told


def test_commands_can_be_copied(cli: Cli) -> None:
    """What it is for as a comment, the command on its own lines, those of a script as they were."""
    told = section(document(cli, "handoff"), "## Commands to run")
    assert "```bash\n# all tests\nmake test\n```" in told
    assert "python - <<'EOF'\nfor name in names:\n    print(name)\nEOF\n```" in told


def test_the_records_of_the_session_are_named(cli: Cli) -> None:
    """Made or changed, by whom, and what they say; none of the session before."""
    old = keep(cli, "note", "to be changed")
    cli.ok("handoff")
    task = next(one for one in cli.json("list", "task") if one["title"] == "compare the horizons")
    cli.ok("close", task["id"])
    cli.ok("close", old)
    new = keep(cli, "lesson", "write it | down")
    told = section(document(cli, "handoff"), "## Records created and changed this session (memory entities updated)")
    rows = [cells(told, number) for number in (1, 2, 3)]
    assert len(told.splitlines()) == 5
    assert rows[0][1:] == ["task", "changed by person", "compare the horizons (status: open -> done)"]
    assert rows[1][1:3] == ["note", "changed by person"]
    assert rows[2] == [f"`{new[:6]}`", "lesson", "created by person", "write it \\| down"]


def test_nothing_edited_says_nothing(cli: Cli) -> None:
    """No files were committed or named: there is no section for them, nor for anything else without content."""
    assert [name.lstrip("# ") for name in headings(document(cli, "handoff"))] == [
        "Current state", "Test status", "Experiment progress", "Observations and patterns", "Manual test queue (9)",
        "Completed this session", "In progress", "Pending", "Key decisions", "Data versions", "Next session should",
        "Commands to run", "Records created and changed this session (memory entities updated)",
    ]  # fmt: skip
