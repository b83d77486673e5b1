"""`neat study analyze` and `export`: studies of the store and of files, as tables, CSV and JSON."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest

from neatd.models import Run
from neatd.place import here
from neatd.store import studies
from neatd.store.connection import transaction
from neatd.studies.space import fingerprint
from tests.cli_place import Cli
from tests.studies_made import study_file

FILES = ["README.md", "hpo_diverged.csv", "hpo_diverged.json", "hpo_full.json", "hpo_summary.csv"]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def add_study(cli: Cli, name: str, rows: list[dict[str, Any]], **changes: Any) -> None:
    """A study in the store; each row a trial: fields of it, and `run`, the id of its run."""
    spec = study_file(name=name, **changes)
    with cli.store() as store, transaction(store):
        place = here()
        made = studies.add_study(store, place.project_id, str(place.root), name, spec.model_dump(mode="json"), trials=8)
        for number, row in enumerate(rows, start=1):
            params = row.get("params") or {"lr": 0.001 * number, "dim": 8 * 2 ** (number % 3)}
            more = {"status": "finished", **row, "params": params, "fingerprint": fingerprint({**params, "n": number})}
            studies.put_trial(store, made.id, number, **more)


def a_run(cli: Cli, number: int, losses: list[float], **fields: Any) -> Run:
    return cli.add_run(
        f"runs/q/trial-{number:04d}", {"val/loss": losses, "train/loss": [2 * v for v in losses]}, **fields
    )


def a_study(cli: Cli) -> None:
    """One trial finished, one diverged, one failed after a rule had told of diverging, one lost and one that tried it again."""
    runs = [a_run(cli, n, losses) for n, losses in enumerate([[0.9, 0.5, 0.6], [0.9, math.nan], [1.0, 9.0]], start=1)]
    cli.add_event(runs[2], "divergence", 2, 9.0, condition="diverging")
    rows: list[dict[str, Any]] = [
        {"value": 0.5, "value_step": 2, "run_id": runs[0].id, "derived": {"parameters": 1234}, "why": "=1+1"},
        {"status": "failed", "diverged": 1, "run_id": runs[1].id, "reason": "diverged: val/loss is not finite"},
        {"status": "failed", "run_id": runs[2].id}, {"status": "failed", "reason": "lost"},
        {"value": 0.7, "chosen_by": "retry", "retry_of": 4},
    ]  # fmt: skip
    add_study(cli, "q", rows)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_export_holds_every_trial(cli: Cli) -> None:
    """CSV reads back exactly, JSON says the same and has the curves whole, the diverged stand apart and are flagged."""
    a_study(cli)
    done = cli.json("study", "export", "q", "--out", "outputs/analysis", "--curve", "train/loss")
    out = cli.root / "outputs" / "analysis"
    assert (done["trials"], done["diverged"]) == (5, 2) and sorted(one.name for one in out.iterdir()) == FILES
    rows = read_csv(out / "hpo_summary.csv")
    (study,) = json.loads((out / "hpo_full.json").read_text())["studies"]
    assert (study["name"], study["goal"], study["metric"], study["planned"]) == ("q", "min", "val/loss", 8)
    for row, trial in zip(rows, study["trials"], strict=True):
        assert {name: float(row[f"params_{name}"]) for name in ("lr", "dim")} == trial["params"]
        assert (row["value"] and float(row["value"])) == ("" if trial["value"] is None else trial["value"])
        assert (int(row["number"]), row["status"], row["reason"]) == (trial["number"], trial["status"], trial["reason"])
        assert row["is_diverged"] == str(trial["is_diverged"]).lower() and row["diverged"] == trial["diverged"]
    assert study["trials"][0]["curves"] == {
        "val/loss": [[1, 0.9], [2, 0.5], [3, 0.6]],
        "train/loss": [[1, 1.8], [2, 1.0], [3, 1.2]],
    }
    assert study["trials"][1]["curves"]["val/loss"] == [[1, 0.9], [2, "NaN"]]
    first, second = rows[:2]
    assert (first["curve_best"], first["curve_best_step"], first["curve_last"], first["curve_points"]) == (
        "0.5",
        "2",
        "0.6",
        "3",
    )
    assert (first["curve(train/loss)_first"], second["curve_nonfinite"], first["is_best"]) == ("1.8", "1", "true")
    assert first["derived_parameters"] == "1234" and first["why"] == "'=1+1"
    apart = read_csv(out / "hpo_diverged.csv")
    assert [(one["number"], one["diverged"]) for one in apart] == [
        ("2", "the goal's metric was not finite"), ("3", "rule divergence at step 2"),
    ]  # fmt: skip
    assert apart == [row for row in rows if row["is_diverged"] == "true"]
    (told,) = json.loads((out / "hpo_diverged.json").read_text())["studies"]
    assert told["trials"] == [trial for trial in study["trials"] if trial["is_diverged"]]
    text = (out / "README.md").read_text()
    assert all(f"| {heading} |" in text for heading in rows[0]) and "1 study, 5 trials, 2 diverged" in text


def test_an_export_is_read_back_as_a_study(cli: Cli) -> None:
    """What neat wrote is a file as any other's: the same tables come of it."""
    a_study(cli)
    cli.ok("study", "export", "q", "--out", "out")
    ours, read = cli.json("study", "analyze", "q"), cli.json("study", "analyze", "out/hpo_full.json")
    for name in ("count", "best", "mean", "sd", "failed", "diverged", "parameters", "common", "history", "importances"):
        assert read[name] == ours[name], name


def test_an_export_replaces_nothing_unasked(cli: Cli) -> None:
    """Neither its own files nor others' of their names; --force replaces exactly these, and leaves no other file behind."""
    a_study(cli)
    out = cli.root / "out"
    out.mkdir()
    (out / "README.md").write_text("mine")
    (out / "mine.txt").write_text("mine")
    assert "out has README.md already" in cli.refused("study", "export", "q", "--out", "out")
    assert sorted(one.name for one in out.iterdir()) == ["README.md", "mine.txt"]
    cli.ok("study", "export", "q", "--out", "out", "--force")
    assert sorted(one.name for one in out.iterdir()) == sorted([*FILES, "mine.txt"])
    assert (out / "mine.txt").read_text() == "mine" and "hpo_full.json" in (out / "README.md").read_text()
    (cli.root / "file").write_text("")
    assert "is no folder" in cli.refused("study", "export", "q", "--out", "file")
    assert not [one for one in cli.root.iterdir() if one.name.endswith(".tmp")]


def test_an_export_whose_curves_cannot_be_read_leaves_nothing(cli: Cli) -> None:
    """The folder appears whole or not at all."""
    a_study(cli)
    with cli.store("points") as points:
        points.execute("DROP TABLE point")
        points.execute("DROP TABLE chunk")
    answer = cli("study", "export", "q", "--out", "out")
    assert answer.code != 0 and not (cli.root / "out").exists()
    assert not [one for one in cli.root.iterdir() if one.name.endswith(".tmp")]


def test_an_analysis_shows_importances_beside_figures(cli: Cli) -> None:
    """By each parameter; the diverged apart; under a budget the text says that importances mislead."""
    a_study(cli)
    text = cli.ok("study", "analyze", "q")
    heading = next(line for line in text.splitlines() if "importance (ped-anova)" in line)
    assert all(word in heading for word in ("count", "best", "mean", "median", "sd", "diverged"))
    assert "rule divergence at step 2" in text and "1 trials that were lost and tried again are left out" in text
    assert text.startswith("q: 4 of 8 trials, min val/loss; 2 with a value") and "mislead" not in text
    rows = [{"value": 0.5}, {"value": 0.6, "params": {"lr": 0.01, "dim": 32}}]
    add_study(cli, "b", rows, budget={"parameters": 1000, "count": "dim * 40", "tolerance": 0.5})
    note = "note: importances mislead here: under a budget (1,000 parameters give or take 50%)"
    assert note in cli.ok("study", "analyze", "b")


@pytest.mark.parametrize("rows", [[], [{"value": 0.5}], [{"status": "failed"}] * 3], ids=["none", "one", "all failed"])
def test_a_study_that_tells_little_is_analysed_and_exported(cli: Cli, rows: list[dict[str, Any]]) -> None:
    """No trial, one, none that worked: tables and files as of any other."""
    add_study(cli, "s", rows)
    found = cli.json("study", "analyze")
    assert (found["name"], found["trials"], found["pairs"]) == ("s", len(rows), [])
    assert found["importances"]["note"] == "it takes two trials with values that differ"
    assert cli.ok("study", "analyze", "s").startswith(f"s: {len(rows)} of 8 trials")
    cli.ok("study", "export", "s", "--out", "out")
    assert len(read_csv(cli.root / "out" / "hpo_summary.csv")) == len(rows)


def test_several_studies_make_a_matrix(cli: Cli) -> None:
    """Budget by horizon from their names, in their order of size; or by a part and a field that are named."""
    bests = {"phase_2B_h1": 0.36, "phase_2M_h1": 0.32, "phase_200M_h1": 0.35, "phase_2M_h3": 0.26}
    for place, (name, best) in enumerate(bests.items()):
        add_study(cli, name, [{"value": best}, {"value": best + 1}], parallel=1 + place % 2)
    found = cli.json("study", "analyze", *bests)["matrix"]
    assert (found["rows"], found["columns"]) == (["2M", "200M", "2B"], ["h1", "h3"])
    cells = {(one["row"], one["column"]): one for one in found["cells"]}
    assert len(cells) == 4 and cells["2M", "h3"]["best"] == 0.26 and cells["2M", "h3"]["trial"] == 1
    assert cells["2M", "h1"]["is_best_of_column"] and cells["2M", "h1"]["architecture"].startswith("lr=0.001, dim=16")
    text = cli.ok("study", "analyze", *bests)
    assert "0.32*" in text and "4 studies, 8 trials, 0 diverged" in text
    by_field = cli.json("study", "analyze", *bests, "--rows", "2", "--columns", "parallel")["matrix"]
    assert by_field["columns"] == ["1", "2"] and by_field["rows"] == ["2M", "200M", "2B"]
    assert "has no field 'horizon'" in cli.refused("study", "analyze", *bests, "--rows", "2", "--columns", "horizon")
    add_study(cli, "other", [{"value": 1.0}])
    assert "different numbers of parts" in cli.refused("study", "analyze", "other", "phase_2M_h1")
    cli.ok("study", "export", *bests, "--out", "all")
    assert {row["study"] for row in read_csv(cli.root / "all" / "hpo_summary.csv")} == set(bests)


def test_a_file_needs_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody's JSON is analysed anywhere; a name that is neither file nor study is said to be neither."""
    cli = Cli(tmp_path, monkeypatch, capsys)
    (cli.root / "a_all_trials.json").write_text(json.dumps([{"value": n / 7, "lr": n, "act": "=x"} for n in range(9)]))
    text = cli.ok("study", "analyze", "a_all_trials.json", "--goal", "max")
    assert "a: 9 trials, max value; 9 with a value" in text and "the same in all trials: act = =x" in text
    cli.ok("study", "export", "a_all_trials.json", "--out", "out")
    rows = read_csv(cli.root / "out" / "hpo_summary.csv")
    assert rows[3]["params_act"] == "'=x" and float(rows[3]["value"]) == 3 / 7
    assert "there is no file b.json, nor a study" in cli.refused("study", "analyze", "b.json")
    assert "a study is named twice" in cli.refused("study", "analyze", "a_all_trials.json", "a_all_trials.json")
