"""Rules listed with where they stand, checked, and tried on stored runs: what they would have said and saved."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from pathlib import Path

import pytest

from neatd.models import Cursor, Prediction, Run, Verdict
from neatd.pipeline.budgeting import beyond_budget
from neatd.rules.schema import Rule
from neatd.store import points
from tests.cli_place import BEGAN, Cli
from tests.cost import at_most

SPIKE = """rule: mine
metrics: ["loss"]
enabled: false
when: {condition: spike, k: 6, window: 50, min_points: 30}
then: [snapshot, alert]
"""


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def noisy(count: int, *spikes: int, level: float = 1.0) -> list[float]:
    """A quiet loss with values of 50 at these steps, counted from 1."""
    rng = random.Random(7)
    return [50.0 if step in spikes else level + rng.uniform(-0.05, 0.05) for step in range(1, count + 1)]


def rule_file(cli: Cli, text: str, name: str = "mine.yaml") -> str:
    folder = cli.root / ".neat" / "rules"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return str(folder / name)


def test_each_rule_says_which_file_it_is_from(cli: Cli) -> None:
    """Shipped, the user's and the project's; which of them one takes the place of; name, condition, consequences."""
    (cli.home / "rules").mkdir()
    (cli.home / "rules" / "spike.yaml").write_text(SPIKE.replace("mine", "spike"))
    rule_file(cli, SPIKE.replace("mine", "non-finite"))
    rules = {one["rule"]: one for one in cli.json("rules", "list")}
    assert (rules["spike"]["from"], rules["spike"]["replaces"]) == ("user", "shipped")
    assert (rules["non-finite"]["from"], rules["non-finite"]["enabled"]) == ("project", False)
    assert rules["best-loss"]["from"] == "shipped" and rules["best-loss"]["file"].endswith("rules/best-loss.yaml")
    assert rules["spike"]["condition"] == "spike" and rules["spike"]["then"] == ["event", "snapshot", "alert"]
    assert "replaces shipped" in cli.ok("rules", "list")


def test_all_mistakes_of_all_files_are_told(cli: Cli) -> None:
    """Each with its file and line, exit code 1, nothing printed."""
    bad = [
        rule_file(cli, "rule: A\nmetrics: []\nwhen: {condition: spik}\n", "a.yaml"),
        rule_file(cli, "rule: [\n", "b.yaml"),
    ]
    told = cli.refused("rules", "check", rule_file(cli, SPIKE), *bad)
    assert (
        "a.yaml:1: rule" in told
        and "a.yaml:2: metrics" in told
        and "did you mean 'spike'" in told
        and "b.yaml:" in told
    )
    assert cli.ok("rules", "check", rule_file(cli, SPIKE)).endswith("mine is good (spike, off)\n")


def test_a_rule_is_tried_on_a_stored_run(cli: Cli) -> None:
    """What would have fired and been kept, in how many steps; though it is off, and no daemon runs. Nothing is written."""
    made = cli.add_run("runs/a", {"loss": noisy(400, 150, 300), "other": noisy(400, 200)})
    for step in (100, 200, 299):
        cli.add_save(made, step)
    before = (cli.json("events"), cli.json("snapshots"))
    found = cli.json("rules", "test", rule_file(cli, SPIKE), "--run", "runs/a")
    assert [(one["metric"], one["step"], one["value"]) for one in found["fired"]] == [
        ("loss", 150, 50.0),
        ("loss", 300, 50.0),
    ]
    assert [one["checkpoint"] for one in found["fired"]] == ["checkpoints/step_000100.pt", "checkpoints/step_000299.pt"]
    assert [one["step"] for one in found["saved"]] == [100, 299] and all(one["is_there"] for one in found["saved"])
    assert (found["count"], found["alerts"], found["steps"], found["per_10000_steps"]) == (2, 2, 400, 50.0)
    assert found["series"] == ["loss"] and not found["is_thinned"] and all(one["score"] > 6 for one in found["fired"])
    assert (cli.json("events"), cli.json("snapshots")) == before
    told = cli.ok("rules", "test", "mine", "--run", "a")
    assert "2 events in 400 steps of loss, 50 in 10,000 steps" in told and "would have kept 2 checkpoints" in told


def test_it_is_compared_with_what_did_fire(cli: Cli) -> None:
    """What it would have told that was told, that was not, and what was told that it would not tell."""
    made = cli.add_run("runs/a", {"loss": noisy(400, 150, 300)})
    cli.add_event(made, "mine", 150, 50.0)
    cli.add_event(made, "mine", 333, 1.0)
    cli.add_event(made, "other-rule", 300, 50.0)
    rule_file(cli, SPIKE)
    found = cli.json("rules", "test", "mine", "--run", "runs/a")
    assert [(one["step"], one["did_fire"]) for one in found["fired"]] == [(150, True), (300, False)]
    assert [one["step"] for one in found["only_did_fire"]] == [333]
    assert "fired then, and would not now: loss at 333" in cli.ok("rules", "test", "mine", "--run", "runs/a")


def test_a_window_of_steps_tells_less_and_judges_the_same(cli: Cli) -> None:
    """The rule has seen what came before."""
    cli.add_run("runs/a", {"loss": noisy(400, 150, 300)})
    words = ("rules", "test", rule_file(cli, SPIKE), "--run", "runs/a")
    found = cli.json(*words, "--from", "290", "--to", "310")
    assert [one["step"] for one in found["fired"]] == [300] and found["steps"] == 21
    assert cli.json(*words, "--from", "301")["fired"] == []


def test_a_checkpoint_that_is_gone_since_is_named_as_gone(cli: Cli) -> None:
    """It was there then, and the snapshot would have kept it."""
    made = cli.add_run("runs/a", {"loss": noisy(400, 150)})
    cli.add_save(made, 149).unlink()
    with cli.store() as store:
        store.execute("UPDATE checkpoint SET status = 'gone'")
    words = ("rules", "test", rule_file(cli, SPIKE), "--run", "runs/a")
    assert [(one["step"], one["is_there"]) for one in cli.json(*words)["saved"]] == [(149, False)]
    assert "1 of them are not there any more" in cli.ok(*words)


def test_an_episode_has_its_end_and_its_peak(cli: Cli) -> None:
    """Of a storm the first point is told, with how it went on."""
    values = noisy(400)
    values[199:205] = [40.0, 60.0, 55.0, 50.0, 45.0, 41.0]
    cli.add_run("runs/a", {"loss": values})
    (one,) = cli.json("rules", "test", rule_file(cli, SPIKE), "--run", "runs/a")["fired"]
    assert (one["step"], one["end_step"], one["peak_step"], one["peak"]) == (200, 206, 201, 60.0)


def test_a_rule_that_looks_at_nothing_and_one_that_is_not_there(cli: Cli) -> None:
    """Both say so, and what there is."""
    cli.add_run("runs/a", {"accuracy": [0.5, 0.6]})
    answer = cli.ok("rules", "test", rule_file(cli, SPIKE), "--run", "runs/a")
    assert "mine looks at no series of runs/a (metrics: loss)" in answer
    assert "no rule 'nope'" in cli.refused("rules", "test", "nope", "--run", "runs/a")
    assert "nope.yaml" in cli.refused("rules", "test", "nope.yaml", "--run", "runs/a")
    assert "no run" in cli.refused("rules", "test", "mine", "--run", "nope")


def test_a_nan_is_found_in_a_long_run_at_once(cli: Cli) -> None:
    """Forty thousand lines in columns, as the daemon judges a backlog."""
    values = noisy(40_000)
    values[39_000] = math.nan
    cli.add_run("runs/a", {"loss": values})
    with at_most(2.0):
        found = cli.json("rules", "test", "non-finite", "--run", "runs/a")
    assert [(one["step"], one["value"]) for one in found["fired"]] == [(39_001, "NaN")]


def test_a_rule_over_predictions_is_tried_by_the_evaluation(cli: Cli) -> None:
    """Each evaluation is judged once, as it is while the daemon watches."""
    made = cli.add_run("runs/a", {"loss": [1.0, 2.0]})
    with cli.store("points") as numbers:
        rows = [
            Prediction(
                4 * (step // 100) + n - 3, step, f"x{n}", True, 3.0 if (step, n) == (200, 1) else 0.1, None, None, None
            )
            for step in (100, 200, 300)
            for n in range(4)
        ]
        cursor = Cursor(reading_id="made", seq=len(rows), format="predictions", stream="predictions.jsonl")
        points.commit_predictions(numbers, made.id, "predictions.jsonl", cursor, rows, 0.0)
    text = "rule: unsure\nmetrics: [predictions]\nwhen: {condition: predictions, kind: unsure, loss: 1.5}\n"
    found = cli.json("rules", "test", rule_file(cli, text), "--run", "runs/a")
    assert [(one["step"], one["metric"], one["value"]) for one in found["fired"]] == [(200, "predictions", 0.25)]
    assert found["series"] == ["predictions"] and found["steps"] == 201


def test_the_budget_of_snapshots_is_respected(cli: Cli) -> None:
    """Two an hour of eight spikes within a quarter of one: six would have none, and it says how many."""
    made = cli.add_run("runs/a", {"loss": noisy(1000, *range(100, 900, 100))})
    for step in range(50, 900, 100):
        cli.add_save(made, step)
    text = SPIKE.replace("window: 50", "window: 20").replace("min_points: 30", "min_points: 20")
    words = ("rules", "test", rule_file(cli, text + "budget: {snapshots_per_hour: 2}\n"), "--run", "runs/a")
    found = cli.json(*words)
    assert [one["is_beyond_budget"] for one in found["fired"]] == [False] * 2 + [True] * 6
    assert [one["step"] for one in found["saved"]] == [50, 150] and found["beyond_budget"] == 6
    told = cli.ok(*words)
    assert "the budget of 2 an hour (snapshots_per_hour) would have suppressed 6 snapshots" in told
    assert "would have kept 2 checkpoints" in told and "(beyond the budget)" in told
    assert cli.json(*words, "--from", "650")["saved"] == []


def test_of_best_values_the_budget_leaves_the_better_ones(cli: Cli) -> None:
    """Each takes the place of the one that it beats; with `keep_beaten` the first ones stay."""
    made = cli.add_run("runs/a", {"val/loss": [0.9**step for step in range(20)]})
    for step in range(1, 21):
        cli.add_save(made, step)
    rule = "rule: b\nmetrics: ['*loss']\nwhen: {condition: best, goal: min}\nthen: [snapshot]\n"
    budget = "budget: {snapshots_per_hour: 2}\n"
    found = cli.json("rules", "test", rule_file(cli, rule + budget), "--run", "runs/a")
    first = found["fired"][0]["step"]
    assert [one["step"] for one in found["saved"]] == [first, 20] and found["beyond_budget"] == found["count"] - 2
    assert "a better one would have taken their place" in cli.ok("rules", "test", "b", "--run", "runs/a")
    budget = "budget: {snapshots_per_hour: 2, keep_beaten: true}\n"
    found = cli.json("rules", "test", rule_file(cli, rule + budget), "--run", "runs/a")
    assert [one["step"] for one in found["saved"]] == [first, first + 1]


@pytest.mark.parametrize(
    ("times", "beyond"),
    [
        ((0, 10, 20, 3599, 3601, 3605, 7300), [2, 3, 5]),  # in any hour no more than two
        ((None, None, None, None), [2]),  # by its place in the three hours of the run: 1, 2, 3 and 12 of 12
    ],
)
def test_the_hour_of_the_budget_is_that_of_the_lines(times: tuple[float | None, ...], beyond: list[int]) -> None:
    """As the trainer dates them; lines without a time by their place in the run."""
    rule = Rule.model_validate(
        {"rule": "r", "metrics": ["loss"], "when": {"condition": "non_finite"}, "then": ["snapshot"],
         "budget": {"snapshots_per_hour": 2}}
    )  # fmt: skip
    lines = (1, 2, 3, 12) if times[0] is None else range(len(times))
    verdicts = [
        Verdict(rule="r", condition="non_finite", metric="loss", seq=line, attempt=1, step=line, time=time, value=math.nan,
                message="", then=rule.then)
        for line, time in zip(lines, times, strict=True)
    ]  # fmt: skip
    ended = BEGAN + timedelta(hours=3)
    run = Run(id="r-1", project_id="p", root="/", folder="a", name="a", created_at=BEGAN, started_at=BEGAN,
              updated_at=ended)  # fmt: skip
    found = beyond_budget(rule, run, verdicts, [True] * len(verdicts))
    assert [place for place, is_beyond in enumerate(found) if is_beyond] == beyond
