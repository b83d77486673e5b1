"""Predictions that look wrong: wrong answers with the loss of right ones, right answers with the loss of wrong ones.

What a low and a high loss are the rules in force say, as for their events. Texts are shortened and without secrets.
Reads only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from neatd.config import ProjectConfig
from neatd.pipeline.feeding import POOL
from neatd.pipeline.ruleset import rules_here
from neatd.redact_own import Patterns, compile_patterns, redact_value_with
from neatd.rules.conditions import Predictions
from neatd.rules.predicted import Answer, is_over_predictions, limit_of
from neatd.rules.schema import Rule
from neatd.store import predicted

FIXED = {"overconfident": 0.3, "unsure": 1.5}  # what people write down; used while too few answers are known
LONGEST_PROMPT, LONGEST_ANSWER = 300, 200
_KINDS = ("overconfident", "unsure")


class Limit(NamedTuple):
    """The loss below which a wrong answer, or above which a right one, looks wrong; and where the number comes from."""

    loss: float | None  # None: the rule is switched off
    source: str  # rule, answers, fixed, off


def prediction_rules(home: Path, root: Path | None, project_id: str) -> list[Rule]:
    """The rules over predictions that are in force in a project."""
    return [placed.rule for placed in rules_here(home, root, project_id).rules if is_over_predictions(placed.rule)]


def suspects(
    points: sqlite3.Connection, run_id: str, rules: Sequence[Rule], config: ProjectConfig, most: int = 50
) -> dict[str, Any]:
    """{limits, examples, is_cut}: at most `most` examples, of the newest evaluation first and in it the oddest first.

    An example is {kind: wrong_low_loss|right_high_loss, step, id, is_correct, loss, limit, prompt, expected, answer}.
    """
    patterns = compile_patterns(config.secrets)
    found: list[dict[str, Any]] = []
    limits = dict.fromkeys(_KINDS, Limit(None, "off"))
    is_cut = False
    for source, last in predicted.sources(points, run_id):
        limits = limits_of(points, run_id, source, last, rules)
        low, high = limits["overconfident"].loss, limits["unsure"].loss
        rows = predicted.beyond(points, run_id, source, low, high, 4 * most + 1)
        is_cut = is_cut or len(rows) > 4 * most
        found += _ordered(rows, low, high)
    examples = [_clean(one, patterns) for one in found[:most]]
    return {
        "limits": {kind: one._asdict() for kind, one in limits.items()}, "examples": examples,
        "is_cut": is_cut or len(found) > most,
    }  # fmt: skip


def limits_of(
    points: sqlite3.Connection, run_id: str, source: str, last: int, rules: Iterable[Rule]
) -> dict[str, Limit]:
    """Of each kind the limit of the rule in force; by the run's own answers where it says `auto`."""
    known: list[Answer] = []

    def pool() -> list[Answer]:
        if not known:
            rows = predicted.answers_between(points, run_id, source, 0, last, POOL)
            known.extend(Answer(*row) for row in rows)
        return known

    wanted = {rule.when.kind: rule.when for rule in rules if isinstance(rule.when, Predictions)}
    return {kind: _limit(wanted[kind], pool) if kind in wanted else Limit(None, "off") for kind in _KINDS}


def _limit(when: Predictions, pool: Any) -> Limit:
    if when.loss != "auto":
        return Limit(float(when.loss), "rule")
    found = limit_of(when, pool)
    return Limit(FIXED[when.kind], "fixed") if found is None else Limit(found, "answers")


def _ordered(rows: Sequence[sqlite3.Row], low: float | None, high: float | None) -> list[dict[str, Any]]:
    """The newest evaluation first; in it those that are furthest beyond their limit, each example once."""
    places: dict[int, int] = {}
    seen: dict[tuple[int, str], dict[str, Any]] = {}
    for row in rows:
        places.setdefault(row["step"], len(places))
        seen.setdefault((row["step"], row["example_id"]), _shape(row, high if row["is_correct"] else low))
    return sorted(seen.values(), key=lambda one: (places[one["step"]], -abs(one["loss"] - one["limit"])))


def _shape(row: sqlite3.Row, limit: float | None) -> dict[str, Any]:
    is_correct = bool(row["is_correct"])
    return {
        "kind": "right_high_loss" if is_correct else "wrong_low_loss", "step": row["step"], "id": row["example_id"],
        "is_correct": is_correct, "loss": row["loss"], "limit": limit, "prompt": row["prompt"],
        "expected": row["expected"], "answer": row["answer"],
    }  # fmt: skip


def _clean(one: dict[str, Any], patterns: Patterns) -> dict[str, Any]:
    """First without secrets, then shortened: half a secret is known by nobody's shape."""
    clean: dict[str, Any] = redact_value_with(patterns, one)
    lengths = {"id": 120, "prompt": LONGEST_PROMPT, "expected": LONGEST_ANSWER, "answer": LONGEST_ANSWER}
    return clean | {name: _short(clean[name], most) for name, most in lengths.items()}


def _short(text: str | None, most: int) -> str | None:
    return text if text is None or len(text) <= most else text[: most - 1] + "…"
