"""What an assistant is told at each start: what to do always, commands, style, insights by component, reflections."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_place import Cli
from tests.documents_made import document, headings, keep, section

ALWAYS = ("think the whole through before a change", "tests that hold back nothing", "it runs on M3 and on Windows 11")
COMMANDS = {"all tests": "python3 -m pytest tests/", "one test": "python3 -m pytest tests/test_x.py::Test::test_y"}
STYLES = (
    ("", "snake_case, classes in CamelCase"),
    ("imports", "standard library, others, ours"),
    ("errors", "catch by name"),
)
INSIGHTS = {
    ("memory", "1.1"): ("gradients at test time need guards", "long contexts decay slower", "Metal lacks some of CUDA"),
    ("adaptation", "1.2"): ("SVD fits models to tasks", "a random SVD is faster"),
    ("bytes", "1.3"): ("the entropy threshold is what matters most",),
}


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    _fill(made)
    return made


def _fill(cli: Cli) -> None:
    keep(cli, "document", "the plan", path="PLAN.md", must_read=True)
    keep(cli, "document", "TECHNICAL.md", path="TECHNICAL.md", must_read=True, status="approved")
    keep(cli, "document", "notes on Metal", path="metal.md")
    for words in ALWAYS:
        keep(cli, "preference", words)
    for about, words in COMMANDS.items():
        keep(cli, "command", words, about=about)
    keep(cli, "command", "python3 main.py \\", body="  --mode train", about="train")
    for about, words in STYLES:
        keep(cli, "style", words, about=about)
    keep(cli, "phase", "1.1", status="completed")
    keep(cli, "phase", "2.2", status="in progress", body="learning rates, then monitoring")
    for (component, phase), titles in INSIGHTS.items():
        for title in titles:
            keep(cli, "insight", title, component=component, phase=phase, forever=True)
    keep(cli, "insight", "checkpoint gradients to save memory", tags=["pattern"])
    keep(cli, "assessment", "messaging holds", body="- priorities\n- pub and sub", phase="2.1")
    keep(cli, "lesson", "locks need timeouts", phase="2.1")
    keep(cli, "challenge", "a learning rate for each part", body="- on Metal\n- on CUDA")
    parent = keep(cli, "task", "adaptive learning rates", phase="2.2.2")
    keep(cli, "task", "a schedule for each component", parent=parent)
    keep(cli, "goal", "parts that work together beat size")


def test_sections_come_in_the_order_of_need(cli: Cli) -> None:
    """What to do always comes first."""
    assert headings(document(cli, "claude")) == [
        "## Always do this", "## Build and test commands", "## Code style", "## Documents", "## Progress and insights",
        "## Reflections and planning",
    ]  # fmt: skip


def test_what_must_be_read_and_done_always(cli: Cli) -> None:
    """Documents first, then each preference word for word."""
    told = section(document(cli, "claude"), "## Always do this").splitlines()
    assert told[:2] == ["- Read `PLAN.md`: the plan", "- Read `TECHNICAL.md` [approved]"]
    assert told[-3:] == [f"- {words}" for words in ALWAYS]


def test_commands_with_what_they_are_for(cli: Cli) -> None:
    """One of several lines as a block of code."""
    told = section(document(cli, "claude"), "## Build and test commands")
    for about, words in COMMANDS.items():
        assert f"- {about}: `{words}`" in told.splitlines()
    assert "- train:\n\n  ```bash\n  # train\n  python3 main.py \\\n    --mode train\n  ```" in told


def test_rules_of_style(cli: Cli) -> None:
    """With what they are about."""
    told = section(document(cli, "claude"), "## Code style").splitlines()
    assert told == [f"- {about}: {words}" if about else f"- {words}" for about, words in STYLES]


def test_other_documents_are_named(cli: Cli) -> None:
    """Those that need not be read first."""
    assert section(document(cli, "claude"), "## Documents") == "- `metal.md`: notes on Metal"


def test_insights_stand_by_component_with_its_phase(cli: Cli) -> None:
    """Numbered as they were kept; how far the phase is, where it is known."""
    told = section(document(cli, "claude"), "## Progress and insights")
    for (component, phase), titles in INSIGHTS.items():
        state = ", completed" if phase == "1.1" else ""
        found = section(told, f"### {component} (phase {phase}{state})").splitlines()
        assert found == [f"{number}. {title}" for number, title in enumerate(titles, 1)]
    assert section(told, "### Implementation patterns") == "- checkpoint gradients to save memory"


def test_reflections(cli: Cli) -> None:
    """Where things stand, what was learned, what is hard, what is next, and what it is all for."""
    told = section(document(cli, "claude"), "## Reflections and planning")
    assessed = next(line for line in told.splitlines() if line.startswith("### Current state assessment (updated 2"))
    assert "1. messaging holds\n   - priorities\n   - pub and sub" in section(told, assessed)
    assert section(told, "### Lessons learned (phase 2.1)") == "1. locks need timeouts"
    assert section(told, "### Upcoming challenges") == "1. a learning rate for each part\n   - on Metal\n   - on CUDA"
    focus = section(told, "### Next phase focus: 2.2 [in progress]")
    assert focus.startswith("- learning rates, then monitoring\n\n1. adaptive learning rates (2.2.2) (t-")
    assert "\n   - a schedule for each component (t-" in focus
    assert section(told, "### Long-term goals") == "1. parts that work together beat size"
