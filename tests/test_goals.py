"""Which way a metric is good, and which metrics a checkpoint is judged by."""

from __future__ import annotations

import pytest

from neatd.models import SeriesFact
from neatd.rules.goals import best_value, goal_of, is_evaluation, judged_metrics

LOWER = (
    "loss valLoss eval_perplexity val/ppl test/error err_rate val/wer val_cer mse rmse val/mae bits_per_byte bpb nll"
)
HIGHER = (
    "acc@1 top1_acc valAcc accuracy val/dice mIoU val/iou f1 val/f1_macro auroc mAP50 recall reward r2 bleu correct"
)
NEITHER = (
    "lr grad_norm tokens_per_second val/answer_length previous power accumulated_steps apples cancer_rate epoch time"
)


@pytest.mark.parametrize("name", LOWER.split())
def test_losses_and_errors_are_good_when_low(name: str) -> None:
    """Known by a word in the name, in any of the ways trainers write names."""
    assert goal_of(name) == "min"


@pytest.mark.parametrize("name", HIGHER.split())
def test_scores_are_good_when_high(name: str) -> None:
    """Known by a word in the name, in any of the ways trainers write names."""
    assert goal_of(name) == "max"


@pytest.mark.parametrize("name", NEITHER.split())
def test_a_name_that_tells_nothing_has_no_goal(name: str) -> None:
    """A short word inside a longer one says nothing: no wer in power, no iou in previous, no acc in accumulated."""
    assert goal_of(name) is None


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("dice_loss", "min"),
        ("val/answer_accuracy", "max"),
        ("accuracy_error", "min"),
        ("incorrect", "min"),
        ("cancer_auc", "max"),
    ],
)
def test_a_loss_of_a_score_is_a_loss(name: str, goal: str) -> None:
    """Where both kinds of word occur the loss counts, and no word counts that only seems to occur."""
    assert goal_of(name) == goal


@pytest.mark.parametrize(
    ("name", "expected"),
    [("val/loss", True), ("val_loss", True), ("Validation/acc", True), ("test.f1", True), ("eval-loss", True), ("dev/x", True),
     ("evaluation/loss", True), ("train/loss", False), ("loss", False), ("value/loss", False), ("testing", False),
     ("validity", False)],
)  # fmt: skip
def test_evaluations_are_known_by_their_beginning(name: str, expected: bool) -> None:
    """val, valid, validation, eval, evaluation, test or dev, as a word of its own."""
    assert is_evaluation(name) is expected


def test_the_projects_own_metric_is_the_only_one() -> None:
    """What neat.yaml names counts alone, in the direction it names."""
    assert judged_metrics(["val/loss", "val/acc"], ("val/acc", "min")) == {"val/acc": "min"}


def test_a_run_without_the_projects_metric_is_judged_by_what_it_has() -> None:
    """A first test run that never evaluates still has a best checkpoint."""
    assert judged_metrics(["val/loss"], ("val/dice", "max")) == {"val/loss": "min"}


def test_all_evaluations_with_a_direction_count() -> None:
    """Each of them may have its best; training losses and evaluations that tell no direction do not."""
    names = ["val/loss", "val/acc", "val/answer_length", "train/loss", "lr"]
    assert judged_metrics(names, None) == {"val/acc": "max", "val/loss": "min"}


@pytest.mark.parametrize("name", ["loss", "train/loss", "train_loss"])
def test_the_training_loss_stands_in_where_nothing_is_evaluated(name: str) -> None:
    """Better than no best checkpoint at all."""
    assert judged_metrics([name, "lr"], None) == {name: "min"}


def test_nothing_to_judge_by_is_nothing() -> None:
    """A run that writes only its learning rate has no best."""
    assert judged_metrics(["lr"], None) == {}


def test_the_best_value_follows_the_goal() -> None:
    """The lowest for min, the highest for max, none without a goal, each with its step."""
    fact = SeriesFact(
        name="m", points=9, first_step=1, last_step=9, last=3.0, min=1.0, min_step=2, max=5.0, max_step=8, nonfinite=0
    )
    assert best_value(fact, "min") == (1.0, 2)
    assert best_value(fact, "max") == (5.0, 8)
    assert best_value(fact, None) == (None, None)
