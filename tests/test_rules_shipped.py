"""Each shipped rule has a series that fires it and one that does not; a rule without such a pair fails here."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from neatd.rules.judge import Judge
from neatd.rules.load import load_rule, load_rules
from tests.rules_streams import feed, steps

FOLDER = Path(__file__).resolve().parents[1] / "rules"
RNG = random.Random(5)
TRAIN = [2.0 + 2 * math.exp(-i / 50) + 0.05 * RNG.gauss(0, 1) for i in range(400)]  # an ordinary loss

# file name: (a series that fires, steps at which it does, a series that does not)
PAIRS: dict[str, tuple[tuple[str, list[float]], list[int], tuple[str, list[float]]]] = {
    "non-finite": (("grad_norm", [1.0, math.nan, math.nan]), [1], ("grad_norm", [1.0, 1e30, -1e30])),
    "spike": (("train/loss", [*TRAIN, 4.5]), [400], ("train/loss", TRAIN)),
    "spike-zscore": (("lr", [1.0, 1.1] * 50 + [1.3]), [100], ("lr", [1.0, 1.1] * 50 + [1.15])),
    "best-loss": (("val/loss", [2.0, 1.9, 1.8, 1.7, 1.699]), [3], ("val/loss", [2.0, 2.1, 2.2, 2.3, 2.1])),
    "best-train-loss": (("loss", [2.0, 1.9, 1.8, 1.7, 1.65]), [3], ("train/loss", [2.0, 1.9, 1.8, 1.7, 1.6])),
    "best-score": (("val/accuracy", [0.5, 0.6, 0.7, 0.8]), [3], ("val/dice_loss", [0.5, 0.6, 0.7, 0.8])),
    "accuracy-drop": (("val/dice", [0.5, 0.8, 0.8, 0.7]), [3], ("val/dice", [0.5, 0.8, 0.8, 0.75])),
    "divergence": (("loss", [*[2.0] * 20, *[2.2] * 10, *[2.6] * 10]), [39], ("loss", TRAIN)),
    "divergence-eval": (("eval_loss", [1.0, 0.9, 0.95, 1.0, 1.1]), [4], ("eval_loss", [1.0, 0.9, 0.95, 0.9, 1.1])),
}


def test_every_shipped_rule_has_a_pair():
    """A new file in rules/ comes with both series, and its name is its rule's name."""
    files = {path.stem: load_rule(path).rule for path in FOLDER.glob("*.y*ml")}
    assert files == {name: name for name in PAIRS}


@pytest.mark.parametrize("name", PAIRS)
def test_a_shipped_rule_fires_where_it_should(name: str):
    """It is turned on for the test if it is shipped off."""
    one = load_rule(FOLDER / f"{name}.yaml").model_copy(update={"enabled": True})
    (metric, values), wanted, _ = PAIRS[name]
    assert steps(feed(Judge([one]), metric, values)) == wanted


@pytest.mark.parametrize("name", PAIRS)
def test_a_shipped_rule_is_silent_where_it_should_be(name: str):
    """The second series looks like the first, without what the rule looks for."""
    one = load_rule(FOLDER / f"{name}.yaml").model_copy(update={"enabled": True})
    _, _, (metric, values) = PAIRS[name]
    assert feed(Judge([one]), metric, values) == []


def test_the_shipped_rules_load_without_a_mistake():
    """All of them describe themselves, and only the literal z-score is off."""
    rules, errors = load_rules([FOLDER])
    assert errors == ()
    assert all(one.description for one in rules)
    assert [one.rule for one in rules if not one.enabled] == ["spike-zscore"]


def test_an_ordinary_run_fires_no_warning():
    """A falling loss with noise and its evaluations make best values and nothing else."""
    judge = Judge(load_rules([FOLDER])[0])
    verdicts = feed(judge, "train/loss", TRAIN) + feed(judge, "val/loss", TRAIN[::20])
    assert {one.severity for one in verdicts} == {"info"}
