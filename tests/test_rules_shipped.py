"""Each shipped rule has a series that fires it and one that does not; a rule without such a pair fails here."""

from __future__ import annotations

import math
import random
from itertools import accumulate
from pathlib import Path

import pytest

from neatd.models import Sample
from neatd.rules.judge import Judge
from neatd.rules.load import load_rule, load_rules, rule_files
from neatd.rules.predicted import Answer, Evaluation, PredictionJudge
from tests.rules_streams import feed, steps

FOLDER = Path(__file__).resolve().parents[1] / "rules"
RNG = random.Random(5)
TRAIN = [2.0 + 2 * math.exp(-i / 50) + 0.05 * RNG.gauss(0, 1) for i in range(400)]  # an ordinary loss

LEAK = [8e8 + 1e6 * i for i in range(2000)]
COURSE = [1.6, 1.2, 1.0, 0.9, 0.88]  # of an evaluation
BATCHES = [RNG.choice([0.75, 0.875, 1.0]) for _ in range(300)]  # the accuracy of batches of eight
RIGHT, WRONG = [0.05 + i / 1000 for i in range(95)], [-2 - i / 100 for i in range(95)]  # losses of answers

# file name: (a series that fires, steps at which it does, a series that does not)
PAIRS: dict[str, tuple[tuple[str, list[float]], list[int], tuple[str, list[float]]]] = {
    "non-finite": (("grad_norm", [1.0, math.nan, math.nan]), [1], ("grad_norm", [1.0, 1e30, -1e30])),
    "spike": (("train/loss", [*TRAIN, 4.5]), [400], ("train/loss", TRAIN)),
    "spike-zscore": (("lr", [1.0, 1.1] * 50 + [1.3]), [100], ("lr", [1.0, 1.1] * 50 + [1.15])),
    "best-loss": (("val/loss", [2.0, 1.9, 1.8, 1.7, 1.699]), [3], ("val/loss", [2.0, 2.1, 2.2, 2.3, 2.1])),
    "best-train-loss": (("loss", [2.0, 1.9, 1.8, 1.7, 1.65]), [3], ("train/loss", [2.0, 1.9, 1.8, 1.7, 1.6])),
    "best-score": (("val/accuracy", [0.5, 0.6, 0.7, 0.8]), [3], ("val/dice_loss", [0.5, 0.6, 0.7, 0.8])),
    "accuracy-drop": (("val/dice", [0.5, 0.8, 0.8, 0.7]), [3], ("val/dice", [0.5, 0.8, 0.8, 0.75])),
    "accuracy-drop-train": (
        ("accuracy", [*BATCHES, *[0.25, 0.375] * 30]),
        [305],
        ("accuracy", [*BATCHES, *[0.5] * 2, *BATCHES]),
    ),
    "spike-burst": (("Loss/train", [*TRAIN, *[3.1] * 12]), [405], ("Loss/train", [*TRAIN, *[3.1] * 4, *TRAIN[200:]])),
    "loss-shift": (("loss", [*TRAIN, *[3.2] * 30]), [409], ("loss", [*TRAIN, *[3.2] * 4, *TRAIN[200:]])),
    "gradient-layer": (("grad_norm/fc1", [1.0] * 90 + [0.0] * 20), [99], ("grad_norm/fc1", [1.0] * 90 + [0.1] * 20)),
    "gradient-missing": (("grad_norm/fc1", [1.0] * 60), [70], ("grad_norm/fc1", [1.0] * 90)),  # of a run of 100 steps
    "gradient-exploding": (("grad_norm", [*[1.0, 1.2] * 50, 30.0]), [100], ("grad_norm", [*[1.0, 1.2] * 50, 5.0])),
    "gradient-share": (("grad_norm", [1.0] * 300 + [0.7] * 60), [339], ("grad_norm", [1.0] * 300 + [0.95] * 60)),
    "gradient-share-long": (
        ("grad_norm", [1.0] * 300 + [0.85] * 120),
        [399],
        ("grad_norm", [1.0] * 300 + [0.85] * 60 + [1.0] * 60),
    ),
    "divergence": (("loss", [*[2.0] * 20, *[2.2] * 10, *[2.6] * 10]), [39], ("loss", TRAIN)),
    "lr-glitch": (("lr", [0.1] * 30 + [1.0] * 5 + [0.1]), [35], ("lr", [0.1] * 30 + [0.01] * 30 + [0.1] * 9)),
    "exact-zero": (("train/loss", [*TRAIN, 0.0, 0.0]), [400], ("val/loss", [*TRAIN, 0.0])),
    "stalled": (("loss", [0.5] * 300 + [90.0]), [301], ("loss", ([0.5] * 300 + [60.0]) * 3)),  # gaps, in seconds
    "plateau": (("loss", [2.0] * 2000), [1011], ("loss", [2 * 0.9999**i for i in range(4000)])),
    "memory-growth": (("system/rss_bytes", [8e8] * 99 + LEAK), [189], ("system/rss_bytes", [8e8] * 99 + LEAK[:50])),
    "memory-growth-slow": (("gpu_mem", [8e8] * 1700 + LEAK), [2899], ("peak_mem", [8e8] * 1700 + LEAK)),
    "gradient-vanishing": (("grad_norm", [1.0] * 20 + [1e-8] * 20), [28], ("grad_norm", [1.0] + [1e-8] * 7 + [0.1])),
    "gpu-underused": (("system/gpu0/utilization_percent", [3.0] * 99), [54], ("gpu_util", [3.0] * 50 + [90.0] * 50)),
    "overfitting": (
        ("val/loss", [*COURSE, 0.9, 0.95, 1.02, 1.1, 1.2, 1.3]),
        [9],
        ("val/loss", [*COURSE, *[0.9, 0.92, 0.89] * 9]),
    ),
    "predictions-unsure": (("predictions", [*RIGHT, *WRONG, *[3.0] * 9]), [7], ("predictions", [*RIGHT, *WRONG, 3.0])),
    "predictions-overconfident": (
        ("predictions", [*RIGHT, *WRONG, *[-0.01] * 9]),
        [7],
        ("predictions", [*RIGHT, *WRONG, -0.01]),
    ),
    "predictions-inverted": (("predictions", [2.0] * 50 + [-1.0] * 50), [7], ("predictions", [2.0] * 50 + [-1.0] * 49)),
    "divergence-eval": (("eval_loss", [1.0, 0.9, 0.95, 1.0, 1.1]), [4], ("eval_loss", [1.0, 0.9, 0.95, 0.9, 1.1])),
}


def said(name: str, metric: str, values: list[float]) -> list[int]:
    """Where the rule fires, turned on if it is shipped off. Of `stalled` the values are gaps, in seconds; of predictions
    the losses of one evaluation, of wrong answers below 0; beside an evaluation that may overfit the training loss falls,
    and beside a layer's norm those of others go on for 100 steps."""
    rule = load_rule(FOLDER / f"{name}.yaml").model_copy(update={"enabled": True})
    judge = Judge([rule])
    if metric == "predictions":
        answers = [Answer(i, f"q{i}", value > 0, abs(value)) for i, value in enumerate(values, 1)]
        found = PredictionJudge([rule]).feed(Evaluation(len(answers), 7, answers), 1, lambda: answers)
        return steps(verdict for verdict, _ in found)
    if name == "overfitting":
        for i in range(len(values)):
            judge.feed("train/loss", Sample(i + 1, 1, i, 0.8**i, None))
    if name.startswith("gradient-share"):  # the norm goes with the loss of the same batch, but for its last points
        noise = random.Random(7)
        losses = [math.exp(noise.gauss(0, 0.5)) for _ in values]
        values = [one * two * math.exp(noise.gauss(0, 0.05)) for one, two in zip(values, losses, strict=True)]
        lines = [
            (Sample(i + 1, 1, i, norm, None), loss) for i, (norm, loss) in enumerate(zip(values, losses, strict=True))
        ]
        pairs = [
            (name, one._replace(value=v)) for one, loss in lines for name, v in ((metric, one.value), ("loss", loss))
        ]
        return steps(v for name, one in pairs for v in judge.feed(name, one) if v.episode is None)
    if name == "gradient-missing":
        lines = [
            {metric: values[i], "grad_norm": 2.0, "grad_norm/head": 1.0} if i < len(values) else
            {"grad_norm": 2.0, "grad_norm/head": 1.0} for i in range(100)
        ]  # fmt: skip
        told = [v for i, line in enumerate(lines) for one, value in sorted(line.items())
                for v in judge.feed(one, Sample(i + 1, 1, i, value, None))]  # fmt: skip
        assert all(v.metric == metric for v in told)
        return steps(told)
    if name != "stalled":
        return steps(feed(judge, metric, values))
    points = [Sample(i + 1, 1, i, 1.0, time) for i, time in enumerate(accumulate(values, initial=1e9))]
    return steps(v for one in points for v in judge.feed(metric, one) if v.episode is None)


def test_every_shipped_rule_has_a_pair():
    """A new file in rules/ comes with both series, and its name is its rule's name."""
    files = {path.stem: load_rule(path).rule for path in rule_files(FOLDER)}
    assert files == {name: name for name in PAIRS}


@pytest.mark.parametrize("name", PAIRS)
def test_a_shipped_rule_fires_where_it_should(name: str):
    """At these steps and at no other."""
    (metric, values), wanted, _ = PAIRS[name]
    assert said(name, metric, values) == wanted


@pytest.mark.parametrize("name", PAIRS)
def test_a_shipped_rule_is_silent_where_it_should_be(name: str):
    """The second series looks like the first, without what the rule looks for."""
    _, _, (metric, values) = PAIRS[name]
    assert said(name, metric, values) == []


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
