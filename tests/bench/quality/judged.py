"""What the shipped rules say of a run: the one place that knows how judges are fed and which verdicts are events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from neatd.errors import ConfigError
from neatd.files import data_path
from neatd.models import Verdict
from neatd.read.predictions import parse_predictions
from neatd.rules.judge import Judge
from neatd.rules.load import load_rules
from neatd.rules.predicted import Answer, Evaluation, PredictionJudge
from neatd.rules.schema import Rule
from tests.bench.quality.runs import Labelled, samples


class Told(NamedTuple):
    """An event of a run: a warning or worse."""

    rule: str
    condition: str
    metric: str
    step: int
    value: float
    message: str


def rules_of(folder: Path | None) -> tuple[tuple[Rule, ...], tuple[ConfigError, ...]]:
    """The rules of a folder; the shipped ones for None."""
    return load_rules([folder or data_path("rules")])


def judged(rules: Sequence[Rule], run: Labelled) -> list[Told]:
    """The events of a run: those of its metrics in file order, then those of its predictions."""
    judge = Judge(rules)
    verdicts = [verdict for name, sample in samples(run) for verdict in judge.feed(name, sample)]
    return [_told(verdict) for verdict in (*verdicts, *_of_predictions(rules, run)) if is_event(verdict)]


def _of_predictions(rules: Sequence[Rule], run: Labelled) -> Iterator[Verdict]:
    """Each evaluation is judged when it is whole; `auto` is taken from all answers so far."""
    path, judge = run.folder / "predictions.jsonl", PredictionJudge(rules)
    if not path.is_file():
        return
    pool: list[Answer] = []
    found, _ = parse_predictions(enumerate(path.read_bytes().splitlines(), 1))
    for step, some in groupby(found, attrgetter("step")):
        new = [Answer(one.seq, one.example_id, one.is_correct, one.loss) for one in some]
        pool += new
        said = judge.feed(Evaluation(new[-1].seq, step, new), new[0].seq, partial(list, pool))
        yield from (verdict for verdict, _ in said)


def is_event(verdict: Verdict) -> bool:
    """A verdict that ends an episode, or joins one, is no event of its own."""
    return verdict.severity in ("warning", "critical") and verdict.episode is None


def _told(verdict: Verdict) -> Told:
    return Told(verdict.rule, verdict.condition, verdict.metric, verdict.step, verdict.value, verdict.message)
