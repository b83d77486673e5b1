"""The state of an experiment that a table tells: done, failed, diverged, planned or open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neatd.assist.notes.parse import Parsed, parse
from neatd.assist.tables import planned
from neatd.knowledge import Experiment
from neatd.place import here
from neatd.store import records
from tests.cli_place import Cli

HEAD = "name,lr,batch,val/loss,hours,comment"
ROWS = (
    ("exp_a", "0.001", "32", "0.41", "1.5", "fine", "done"),
    ("exp_b", "0.002", "32", "nan", "0.2", "", "diverged"),
    ("exp_c", "0.003", "32", "nan", "0.2", "diverged", "diverged"),
    ("exp_d", "0.004", "64", "", "0.1", "OOM at step 3", "failed"),
    ("exp_e", "0.005", "64", "", "", "crashed", "failed"),
    ("exp_f", "0.006", "64", "", "", "", "open"),
    ("exp_g", "0.007", "64", "", "", "planned for Monday", "planned"),
    ("exp_h", "0.008", "64", "inf", "", "", "diverged"),
    ("exp_i", "0.009", "64", "9.7", "", "diverged", "diverged"),
    ("exp_j", "0.010", "64", "0.39", "", "recovered after the loss diverged once", "done"),
    ("exp_k", "0.011", "64", "", "", "not failed, only slow", "open"),
)


def of_csv(name: str = "results.csv") -> dict[str, Parsed]:
    text = "\n".join([HEAD, *(f'{",".join(row[:5])},"{row[5]}"' for row in ROWS)])
    return {str(one.fields["title"]): one for one in parse(text, name).records}


def of_markdown(heading: str = "Results") -> dict[str, Parsed]:
    lines = [f"| {' | '.join(cells)} |" for cells in (HEAD.split(","), ["---"] * 6, *(row[:6] for row in ROWS))]
    return {str(one.fields["title"]): one for one in parse(f"# {heading}\n\n" + "\n".join(lines), "n.md").records}


def of_json() -> dict[str, Parsed]:
    trials = [
        {"name": n, "lr": float(lr), "val/loss": float(loss) if loss else None, "comment": comment}
        for n, lr, _, loss, _, comment, _ in ROWS
    ]
    return {str(one.fields["title"]): one for one in parse(json.dumps(trials, indent=0), "trials.json").records}


@pytest.mark.parametrize("read", [of_csv, of_markdown, of_json])
def test_a_row_is_what_its_words_and_its_number_say(read: type) -> None:
    """In CSV, Markdown and JSON alike; planned only where it says so."""
    assert {name: one.fields["status"] for name, one in read().items()} == {row[0]: row[6] for row in ROWS}


@pytest.mark.parametrize("read", [of_csv, of_markdown, of_json])
def test_a_value_that_is_no_number_stays_under_its_column(read: type) -> None:
    """It is no value, and no cell is lost."""
    found = read()
    params = [found[name].fields["params"] for name in ("exp_b", "exp_h")]
    assert [one["val/loss"] for one in params] == ["nan", "inf"] and "value" not in found["exp_b"].fields


def test_rows_of_a_queue_are_planned_and_the_failed_among_them_are_not() -> None:
    """By the heading above the table, or by the name of the file."""
    for found in (of_markdown("Experiment queue"), of_csv("notes/queue.csv")):
        states = {name: one.fields["status"] for name, one in found.items()}
        assert states["exp_f"] == "planned" and (states["exp_a"], states["exp_d"]) == ("done", "failed")
        assert states["exp_b"] == "diverged"


def test_a_column_for_the_state_decides() -> None:
    """Also one in words of its own; but nothing is done whose result is nan."""
    text = "run,val_loss,status\na,0.4,killed\nb,nan,finished\nc,,todo\nd,0.2,complete\ne,,running\n"
    found = parse(text, "r.csv").records
    assert [one.fields["status"] for one in found] == ["killed", "diverged", "planned", "done", "running"]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def test_what_diverged_is_not_offered_as_planned(cli: Cli) -> None:
    """Neither among the planned ones of an imported table, nor by a check, also where a record says planned."""
    (cli.root / "results.csv").write_text(f"{HEAD}\nexp_a,0.001,32,0.4,1,\nexp_c,0.003,32,nan,0.2,diverged\n")
    cli.ok("import", "results.csv")
    cli.ok("experiment", "old", "--status", "planned", "--params", "lr=0.5", "--params", "comment=diverged")
    cli.ok("experiment", "new", "--status", "planned", "--params", "lr=0.7")
    with cli.store() as store:
        kept: list[Experiment] = records.list_records(store, "experiment", here().project_id)
    assert "exp_c" not in [one.title for one in planned(kept)]
    said = cli.ok("check", "--", "python", "train.py", "--lr", "0.003", "--batch", "32")
    assert said.startswith("tried: experiment exp_c (the same configuration): diverged\n")
    assert cli.ok("check", "--", "python", "t.py", "--lr", "0.5").startswith("tried: experiment old (the same")
    assert cli.ok("check", "--", "python", "t.py", "--lr", "0.7") == (
        "planned: experiment new (the same configuration): planned\n"
    )
