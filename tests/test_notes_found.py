"""Forms of notes that people use and that were once read wrongly: statuses of ADRs, fields that run on, turned tables."""

from __future__ import annotations

import pytest

from neatd.assist.notes.parse import Parsed, parse

ADR_FILE = "docs/adr/0005-use-lion.md"
BELOW = "\n\n## Context\n\nSGD is slow.\n\n## Decision\n\nUse Lion.\n"


def found(text: str, name: str = "notes.md") -> tuple[Parsed, ...]:
    """The records of a text."""
    return parse(text, name).records


def fields(text: str, name: str = "notes.md") -> dict[str, object]:
    """The fields of the one record of a text."""
    (record,) = found(text, name)
    return record.fields


@pytest.mark.parametrize(
    ("status", "supersedes"),
    [
        ("Accepted, supersedes ADR 3", "ADR 3"),
        ("Accepted (supersedes ADR-0003)", "ADR-0003"),
        ("Supersedes ADR 3", "ADR 3"),
        ("Accepted; replaces ADR 2", "ADR 2"),
        ("Accepted\n\nSupercedes [3. Use SGD](0003-use-sgd.md)", "3. Use SGD"),
    ],
)
def test_a_decision_that_supersedes_another_is_accepted(status: str, supersedes: str) -> None:
    """Only one that is superseded by another has ended; the status is a field and no part of the body."""
    got = fields(f"# 5. Use Lion\n\nDate: 2024-03-01\n\n## Status\n\n{status}{BELOW}", ADR_FILE)
    assert (got["status"], got["supersedes"]) == ("accepted", supersedes)
    assert "Status" not in str(got["body"]) and "Date" not in str(got["body"])


@pytest.mark.parametrize("status", ["Superseded by ADR 9", "Replaced by ADR 9", "Superceded by [9. New](0009-new.md)"])
def test_a_decision_that_another_replaced_is_superseded(status: str) -> None:
    """What replaced it stays in the body."""
    got = fields(f"# 5. Use Lion\n\n## Status\n\n{status}{BELOW}", ADR_FILE)
    assert got["status"] == "superseded" and "9" in str(got["body"]) and "supersedes" not in got


@pytest.mark.parametrize("indent", ["  ", "  - "])
def test_fields_that_run_on_below_a_decision_fill_it(indent: str) -> None:
    """As continued lines and as items alike."""
    names = (
        "**Decision**: use Lion",
        "**Rationale**: half the memory",
        "**Alternatives**: AdamW",
        "**Implications**: low lr",
    )
    first, *rest = names
    got = fields("\n".join([f"- {first}", *(f"{indent}{one}" for one in rest)]))
    assert got == {"title": "use Lion", "why": "half the memory", "alternative": ("AdamW",), "implication": ("low lr",)}


@pytest.mark.parametrize("corner", ["", "metric", "Metric"])
def test_a_table_of_metrics_by_runs_is_an_experiment_a_column(corner: str) -> None:
    """The first row is the metric; the rows are the lines of the first and cited by all."""
    table = (
        f"## Results\n\n| {corner} | baseline | topo |\n|---|---|---|\n| dice | 0.20 | 0.26 |\n| hd95 | 12.1 | 9.4 |\n"
    )
    base, topo = found(table)
    assert base.fields == {
        "title": "baseline",
        "metric": "dice",
        "value": 0.2,
        "params": {"hd95": 12.1},
        "status": "done",
    }
    assert (topo.kind, topo.fields["title"], topo.fields["value"], topo.fields["params"]) == (
        "experiment",
        "topo",
        0.26,
        {"hd95": 9.4},
    )
    assert base.lines == (1, 3, 4, 5, 6) and topo.lines == () and topo.cites == (5, 6)


def test_a_table_of_metrics_before_and_after_is_not_turned() -> None:
    """Its columns are no runs."""
    table = "## Results\n\n| metric | before | after |\n|---|---|---|\n| dice | 0.20 | 0.26 |\n"
    assert not [one for one in found(table) if one.fields["title"] in ("before", "after")]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("status: refuted", "refuted"),
        ("Status: rejected", "refuted"),
        ("Status: supported", "supported"),
        ("Result: confirmed", "supported"),
    ],
)
@pytest.mark.parametrize("indent", ["  ", "  - "])
def test_a_hypothesis_ends_as_the_line_below_it_says(said: str, status: str, indent: str) -> None:
    """The line is no part of the title."""
    got = fields(f"## Hypotheses\n\n- Warmup helps\n{indent}{said}\n")
    assert (got["title"], got["status"]) == ("Warmup helps", status)


def test_the_verdict_column_of_a_table_of_hypotheses_is_their_status() -> None:
    """In neat's words."""
    table = (
        "## Hypotheses\n\n| Hypothesis | Status |\n|---|---|\n| EMA helps | Confirmed |\n| dropout helps | rejected |\n"
    )
    assert [one.fields["status"] for one in found(table)] == ["supported", "refuted"]


@pytest.mark.parametrize(
    ("words", "predict"),
    [
        ("grad norm std < 0.5", "grad norm std < 0.5"),
        ("Warmup keeps grad norm std < 0.5", "grad norm std < 0.5"),
        ("the best val loss <= 0.3", "best val loss <= 0.3"),
        ("Topology lifts val/dice > 0.25", "val/dice > 0.25"),
        ("sparsity > 0.5", "sparsity > 0.5"),
        ("the usual half of apples < 3", ""),
    ],
)
def test_a_prediction_has_the_whole_name_of_its_metric_or_is_none(words: str, predict: str) -> None:
    """Half a name would be compared with another metric."""
    assert fields(f"## Hypotheses\n\n- {words}\n").get("predict", "") == predict


@pytest.mark.parametrize("cell", ["crashed (OOM)", "crashed (OOM) while training", "Crashed at 12/50"])
def test_a_run_that_crashed_is_failed_whatever_else_its_cell_says(cell: str) -> None:
    """The first word counts."""
    table = f"## Runs\n\n| run | val_loss | status |\n|---|---|---|\n| a | 0.3 | done |\n| b | | {cell} |\n"
    assert [one.fields["status"] for one in found(table)] == ["done", "failed"]


def test_a_comment_cell_that_says_crashed_in_brackets_is_failed_with_a_value() -> None:
    """A run may leave a number before it ends."""
    table = "## Runs\n\n| run | val_loss | comment |\n|---|---|---|\n| b | 0.9 | crashed (OOM) |\n"
    assert fields(table)["status"] == "failed"


@pytest.mark.parametrize("heading", ["## Notes\n\n", "# log\n\n", ""])
def test_lines_with_marks_of_code_are_tasks_of_their_own(heading: str) -> None:
    """With a colon or without one."""
    records = found(f"{heading}TODO: write the loader\nFIXME the cache leaks\n")
    assert [(one.kind, one.fields["title"]) for one in records] == [
        ("task", "write the loader"),
        ("task", "the cache leaks"),
    ]


@pytest.mark.parametrize("heading", ["## Experiments\n\n", "# log\n\n", ""])
def test_two_dated_lines_of_runs_are_two_experiments(heading: str) -> None:
    """Each has its own date, parameters and value."""
    records = found(f"{heading}2025-01-14: lr=1e-3 -> loss 0.31\n2025-01-15: lr=3e-4 -> loss 0.28\n")
    assert [(one.kind, one.fields["value"], one.fields["params"], one.said_at) for one in records] == [
        ("experiment", 0.31, {"lr": 0.001}, "2025-01-14"),
        ("experiment", 0.28, {"lr": 0.0003}, "2025-01-15"),
    ]
