"""Predictions that look wrong: which, in which order, by which limits, and without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neatd.config import ProjectConfig
from neatd.pipeline.suspects import FIXED, prediction_rules, suspects
from tests.cli_place import Cli
from tests.reading_made import answered, reading


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def asked(cli: Cli, run_id: str, most: int = 50, **config: Any) -> dict[str, Any]:
    with reading(cli) as (_, points, project, own):
        rules = prediction_rules(cli.home, Path(project.root), project.id)
        return suspects(points, run_id, rules, ProjectConfig(id=own.id, **config), most)


def test_the_newest_evaluation_comes_first_and_in_it_the_oddest(cli: Cli) -> None:
    """With few answers the limits are those that people write down; an example that was asked again counts once."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    old = [(10, "q1", False, 0.05), (10, "q2", True, 0.1)]
    new = [
        (20, "q1", False, 0.2),
        (20, "q2", True, 4.0),
        (20, "q3", True, 1.6),
        (20, "q3", True, 1.7),
        (20, "q4", False, 3.0),
    ]
    answered(cli, made.id, old + new)
    found = asked(cli, made.id)
    assert found["limits"] == {
        "overconfident": {"loss": 0.3, "source": "fixed"}, "unsure": {"loss": 1.5, "source": "fixed"}
    }  # fmt: skip
    told = [(one["step"], one["id"], one["kind"]) for one in found["examples"]]
    assert told == [
        (20, "q2", "right_high_loss"), (20, "q3", "right_high_loss"), (20, "q1", "wrong_low_loss"),
        (10, "q1", "wrong_low_loss"),
    ]  # fmt: skip
    assert found["examples"][1]["loss"] == 1.7 and not found["is_cut"]
    assert asked(cli, made.id, most=2)["is_cut"] and len(asked(cli, made.id, most=2)["examples"]) == 2


def test_with_enough_answers_the_limits_are_the_runs_own(cli: Cli) -> None:
    """As the rules take them: a run whose losses are all small has small limits."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    right = [(10, f"r{n}", True, 0.010 + n / 10_000) for n in range(60)]
    wrong = [(10, f"w{n}", False, 0.200 + n / 1000) for n in range(60)]
    answered(cli, made.id, [*right, *wrong, (10, "odd", False, 0.012), (10, "unsure", True, 0.25)])
    found = asked(cli, made.id)
    assert {one["source"] for one in found["limits"].values()} == {"answers"}
    assert 0.012 < found["limits"]["overconfident"]["loss"] < 0.2 < FIXED["overconfident"]
    assert {one["id"] for one in found["examples"]} == {"odd", "unsure"}


def test_a_rule_that_is_off_suspects_nothing_and_one_with_a_number_goes_by_it(cli: Cli) -> None:
    """The rules in force decide, the user's own over the shipped."""
    folder = cli.home / "rules"
    folder.mkdir()
    (folder / "a.yaml").write_text("rule: predictions-unsure\nmetrics: [predictions]\nenabled: false\n"
                                   "when: {condition: predictions, kind: unsure}\nseverity: info\nthen: [event]\n")  # fmt: skip
    (folder / "b.yaml").write_text("rule: predictions-overconfident\nmetrics: [predictions]\n"
                                   "when: {condition: predictions, kind: overconfident, loss: 1.0}\nseverity: info\n"
                                   "then: [event]\n")  # fmt: skip
    made = cli.add_run("runs/a", {"loss": [1.0]})
    answered(cli, made.id, [(10, "q1", False, 0.9), (10, "q2", True, 40.0)])
    found = asked(cli, made.id)
    assert found["limits"]["unsure"] == {"loss": None, "source": "off"}
    assert found["limits"]["overconfident"] == {"loss": 1.0, "source": "rule"}
    assert [one["id"] for one in found["examples"]] == ["q1"]


def test_texts_are_short_and_without_secrets(cli: Cli) -> None:
    """The project's own patterns too; what is cut is cut behind them."""
    made = cli.add_run("runs/a", {"loss": [1.0]})
    secret = "sk-ant-api03-" + "a" * 80
    answered(cli, made.id, [(10, "q1", False, 0.1)], "x" * 280 + f" {secret} patient-1234567 end")
    (one,) = asked(cli, made.id, secrets=("patient-[0-9]{7}",))["examples"]
    assert "sk-ant" not in one["prompt"] and "patient-1" not in one["prompt"] and len(one["prompt"]) <= 300
    assert one["expected"] == "q1" and one["answer"] == "?"
    none = cli.add_run("runs/b", {"loss": [1.0]})
    assert asked(cli, none.id)["examples"] == []
