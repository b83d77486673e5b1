"""`python -m tests.bench.quality.measure FOLDER [--split tuning|held] [--rules FOLDER] [--runs]`: rules against labels.

Prints the table for each half; with --runs every missed fault and every false event, for the work on rules.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.quality import plain
from tests.bench.quality.faults import KINDS
from tests.bench.quality.judged import judged, rules_of
from tests.bench.quality.plan import SPLITS
from tests.bench.quality.runs import Labelled, labelled
from tests.bench.quality.scores import Score, Total, garwood, score, total, wilson

OURS = "shipped rules"


class Measured(NamedTuple):
    """The scores of each detector on the runs of a folder."""

    runs: list[Labelled]
    scores: dict[str, list[Score]]  # detector -> one a run

    def total(self, detector: str, split: str = "") -> Total:
        pairs = zip(self.runs, self.scores[detector], strict=True)
        return total(one for run, one in pairs if split in ("", run.split))


def measure(folder: Path, split: str = "", rules: Path | None = None, processes: int = 2) -> Measured:
    """Judge every run of the folder, or of a half of it."""
    runs = labelled(folder, split)
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        found = pool.map(partial(_scores, rules=rules), runs, chunksize=4)
    return Measured(runs, {name: [one[name] for one in found] for name in (found[0] if found else {})})


_RULES: dict[Path | None, Any] = {}  # loaded once in each process


def _scores(run: Labelled, rules: Path | None) -> dict[str, Score]:
    if rules not in _RULES:
        _RULES[rules] = rules_of(rules)[0]
    told = {OURS: judged(_RULES[rules], run), **plain.events(run)}
    return {name: score(run, events) for name, events in told.items()}


def table(measured: Measured, split: str = "") -> str:
    """Markdown: recall by kind and false events for each detector."""
    totals = {name: measured.total(name, split) for name in measured.scores}
    ours = totals[OURS]
    head = ["| |", *(f" {name} |" for name in totals)]
    rows = ["".join(head), "|---" * (len(totals) + 1) + "|"]
    for kind in (*KINDS, "all"):
        cells = [_recall(one, kind) for one in totals.values()]
        rows.append(f"| recall: {kind} | " + " | ".join(cells) + " |")
    rows.append(
        f"| false events in 10,000 of {ours.clean_steps:,} clean steps | "
        + " | ".join(map(_rate, totals.values()))
        + " |"
    )
    return "\n".join(rows)


def _recall(found: Total, kind: str) -> str:
    hit, planted = found.recall.get(kind, (0, 0))
    low, high = wilson(hit, planted)
    return f"{hit}/{planted} {hit / planted:.2f} [{low:.2f}, {high:.2f}]" if planted else "-"


def _rate(found: Total) -> str:
    count = found.false.total()
    low, high = garwood(count, found.clean_steps)
    return f"{1e4 * count / max(1, found.clean_steps):.2f} [{low:.2f}, {high:.2f}] ({count})"


def by_rule(found: Total) -> str:
    """Of each rule: its false events, its true warnings of overfitting, and how many faults of each kind it hit."""
    rules = sorted({*found.false, *found.overfit, *(rule for some in found.by_rule.values() for rule in some)})
    rows = ["| rule | false | in 10,000 | overfitting | " + " | ".join(KINDS) + " |", "|---" * (4 + len(KINDS)) + "|"]
    for rule in rules:
        count = found.false[rule]
        low, high = garwood(count, found.clean_steps)
        hits = (str(found.by_rule.get(kind, {}).get(rule, 0)) for kind in KINDS)
        rate = f"{1e4 * count / max(1, found.clean_steps):.2f} [{low:.2f}, {high:.2f}]"
        rows.append(f"| {rule} | {count} | {rate} | {found.overfit[rule]} | " + " | ".join(hits) + " |")
    return "\n".join(rows)


def details(measured: Measured, split: str = "") -> str:
    """A line for each missed fault and each false event of the shipped rules."""
    missed, false = [], []
    for run, one in zip(measured.runs, measured.scores[OURS], strict=True):
        if split in ("", run.split):
            missed += [
                f"missed {run.name}: {fault.kind}{' ' + fault.detail if fault.detail else ''} at {fault.onset}"
                for fault, rules, _ in one.hits
                if not rules
            ]
            false += [
                f"false {run.name}: {event.rule} {event.metric} step {event.step} value {event.value:.5g}: {event.message}"
                for event in one.false
            ]
    return "\n".join([*missed, *false])


def as_json(measured: Measured) -> dict[str, Any]:
    """All figures, for each half and for both."""
    return {
        split or "both": {name: _as_json(measured.total(name, split)) for name in measured.scores}
        for split in ("", *SPLITS)
    }


def _as_json(found: Total) -> Mapping[str, Any]:
    count = found.false.total()
    return {
        "recall": {
            kind: {"hit": hit, "planted": planted, "share": hit / planted, "interval": wilson(hit, planted)}
            for kind, (hit, planted) in found.recall.items()
            if planted
        },
        "hits_by_rule": {kind: dict(some) for kind, some in found.by_rule.items()},
        "median_delay_steps": {kind: sorted(some)[len(some) // 2] for kind, some in found.delays.items()},
        "false": dict(found.false),
        "overfit": dict(found.overfit),
        "clean_steps": found.clean_steps,
        "false_per_10k": 1e4 * count / max(1, found.clean_steps),
        "false_interval": garwood(count, found.clean_steps),
    }


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--split", choices=SPLITS, default="")
    parser.add_argument("--rules", type=Path, default=None, help="instead of the shipped ones")
    parser.add_argument("--runs", action="store_true", help="every missed fault and every false event")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args(words)
    for error in rules_of(given.rules)[1]:
        print(f"bad rule: {error}")
    measured = measure(given.folder, given.split, given.rules, given.processes)
    for split in (given.split,) if given.split else SPLITS:
        print(f"\n## {split}\n{table(measured, split)}\n\n{by_rule(measured.total(OURS, split))}")
        if given.runs:
            print(f"\n{details(measured, split)}")


if __name__ == "__main__":
    main()
