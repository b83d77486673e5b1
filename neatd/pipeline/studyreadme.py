"""What the README beside an export says: its files, its studies, its columns and how to read them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from neatd.assist.render import number
from neatd.studies.analysis import budget_of
from neatd.studies.grouping import is_number, shown
from neatd.studies.tables import architecture, figures
from neatd.studies.tried import Searched, best_of

SUMMARY, FULL, README = "hpo_summary.csv", "hpo_full.json", "README.md"
DIVERGED_CSV, DIVERGED_JSON = "hpo_diverged.csv", "hpo_diverged.json"
FILES = (SUMMARY, FULL, DIVERGED_CSV, DIVERGED_JSON, README)  # README last: where it is, all are

_MEANINGS = {
    "study": "the study's name",
    "number": "the trial's number in its study",
    "status": "finished, pruned, failed, cancelled; running, queued, planned",
    "is_diverged": "whether it diverged",
    "diverged": "why it is said to have diverged; empty where it has not",
    "is_best": "whether it is the best of its study",
    "value": "what the goal says of it; empty where it has none",
    "value_step": "the step of that value",
    "curve_first": "the first finite point of the goal's metric",
    "curve_first_step": "and its step",
    "curve_last": "the last finite point",
    "curve_last_step": "and its step",
    "curve_best": "the best point",
    "curve_best_step": "and its step, the first of equal ones",
    "curve_points": "how many points the curve has",
    "curve_nonfinite": "how many of them are NaN or infinite",
    "seconds": "from its start to its end",
    "started_at": "when it began",
    "ended_at": "when it ended",
    "chosen_by": "who chose it: sampler, person, or retry, which tries a lost trial again",
    "retry_of": "the number of the trial that it tries again",
    "run": "its run in neat",
    "job": "its job in neat",
    "reason": "why it ended as it did",
    "why": "why a person added it",
}


def readme(found: Sequence[Searched], headings: Sequence[str], now: datetime) -> str:
    """The whole text."""
    lines = [
        "# Trials",
        "",
        f"{_total(found)}. Written by `neat study export` at {now.isoformat(timespec='seconds')}.",
        "",
    ]
    lines += _files()
    lines += ["", "## Studies", "", "| study | from | goal | trials | with a value | diverged | best | its trial |"]
    lines += ["|---|---|---|---|---|---|---|---|", *(_study(one) for one in found)]
    for one in found:
        best = best_of([trial for trial in one.last_tries if trial.kind == "counted"], one.goal)
        lines += ["", f"Best of {_cell(one.name)}: {_cell(architecture(best))}."] if best else []
        if limit := budget_of(one):
            lines += [
                "",
                f"{_cell(one.name)} has {_cell(limit)}: a parameter's importance misleads, its values' figures do not.",
            ]
        lines += [line for note in one.notes for line in ("", f"{_cell(one.name)}: {_cell(note)}.")]
    lines += ["", f"## Columns of {SUMMARY} and {DIVERGED_CSV}", "", "| column | what it holds |", "|---|---|"]
    lines += [f"| {_cell(one)} | {_cell(_meaning(one, found))} |" for one in headings]
    return "\n".join([*lines, "", *_reading()]) + "\n"


def _total(found: Sequence[Searched]) -> str:
    trials = sum(len(one.trials) for one in found)
    diverged = sum(bool(trial.diverged) for one in found for trial in one.trials)
    return f"{len(found)} {'study' if len(found) == 1 else 'studies'}, {trials} trials, {diverged} diverged"


def _files() -> list[str]:
    return [
        f"- `{SUMMARY}`: a row for each trial of every study, with figures of its curve. The diverged are among them, flagged.",
        f"- `{FULL}`: the same trials with everything that is known of them, learning curves whole.",
        f"- `{DIVERGED_CSV}`, `{DIVERGED_JSON}`: the diverged trials alone, in the same shape.",
    ]


def _study(one: Searched) -> str:
    told = figures(one.trials, one.goal)
    best = best_of([trial for trial in one.last_tries if trial.kind == "counted"], one.goal)
    cells = [
        one.name, one.source, f"{one.goal} {one.metric}", str(told.trials), str(told.counted), str(told.diverged),
        number(best.value) if best else "-", str(best.number) if best else "-",
    ]  # fmt: skip
    return f"| {' | '.join(map(_cell, cells))} |"


def _meaning(heading: str, found: Sequence[Searched]) -> str:
    for prefix, what in (("params_", "parameter"), ("derived_", "derived of the parameters, or told besides them")):
        if heading.startswith(prefix):
            return f"{what}: {_span(heading.removeprefix(prefix), prefix == 'params_', found)}"
    if heading.startswith("more_"):
        return "as its file told it"
    if heading.startswith("curve("):
        return "the same of that metric"
    return _MEANINGS.get(heading, "")


def _span(name: str, is_param: bool, found: Sequence[Searched]) -> str:
    """The values that it had: from the least to the largest, or up to eight as they are."""
    trials = [trial for one in found for trial in one.trials]
    values = [held[name] for trial in trials if name in (held := trial.params if is_param else trial.derived)]
    if len(values) > 8 and all(is_number(one) for one in values):
        return f"{shown(min(values))} to {shown(max(values))}"
    distinct = list(dict.fromkeys(map(shown, values)))
    return ", ".join(distinct[:8]) + (f" and {len(distinct) - 8} more" if len(distinct) > 8 else "")


def _reading() -> list[str]:
    return [
        "## How to read it",
        "",
        "- An empty cell is a value that there is not. Flags are `true` and `false`; numbers read back exactly.",
        "- JSON has no NaN and no infinity: they are the strings `NaN`, `Infinity`, `-Infinity`. In CSV they are `nan`, `inf`.",
        "- Text that a spreadsheet would take for a formula begins with an apostrophe.",
        "- A trial diverged if its value or the end of its curve is not finite, or if it failed after a rule said so.",
        "- A trial that was lost and tried again is a row of its own; `retry_of` of the later one names it.",
        "- A curve is a list of [step, value].",
    ]


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")
