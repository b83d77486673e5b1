"""`neat compare`: two or more runs side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from neatd.assist.render import number, one_line, when
from neatd.cli.common import json_option, open_here, print_json, print_table
from neatd.pipeline.comparison import Comparison, SharedSeries, Side, compare_runs


@click.command(short_help="Compare runs side by side.")
@click.argument("words", metavar="ID ID…", nargs=-1, required=True)
@click.option("--metric", "metrics", multiple=True, help="Show this series; those of the machine only so (repeatable).")
@json_option
def compare(words: tuple[str, ...], metrics: tuple[str, ...], as_json: bool) -> None:
    """Compare two or more runs side by side: values, parameters and code that differ.

    Differences are against the first one; one in brackets is not comparable, and it is said why.

    \b
    neat compare baseline variant
    neat compare r-7k2q r-9x41 r-3f8e --json
    neat compare baseline variant --metric system/rss_bytes
    """
    opened = open_here()
    found = compare_runs(opened.records, opened.points, opened.project, opened.config, words, opened.home, metrics)
    if as_json:
        print_json(found)
    else:
        print_table(("", *(side.name for side in found.runs)), _rows(found), "")


def _rows(found: Comparison) -> list[tuple[str, ...]]:
    sides = [(name, *map(show, found.runs)) for name, show in _SIDES]
    value = (f"{found.metric or 'metric'} vs first", *("" if i == 0 else _delta(s) for i, s in enumerate(found.runs)))
    series = [row for one in found.series for row in _of_series(one)]
    parameters = [(name, *map(_text, values)) for name, values in found.parameters.items()]
    return [row for row in (*sides, value, *series, *parameters) if any(cell not in ("", "—") for cell in row[1:])]


def _delta(side: Side) -> str:
    if side.delta is None:
        return "—"
    if side.is_comparable:
        return f"{side.delta:+.4g}"
    return f"[{side.delta:+.4g}] not comparable: {one_line('; '.join(side.not_comparable), 120)}"


def _of_series(one: SharedSeries) -> list[tuple[str, ...]]:
    last = (one.name, *(_at(value, step) for value, step in zip(one.last, one.last_step, strict=True)))
    best = (f"{one.name} best", *(_at(value, step) for value, step in zip(one.best, one.best_step, strict=True)))
    return [last] if one.goal is None else [last, best]


def _at(value: float | None, step: int | None) -> str:
    return "—" if value is None else f"{number(value)} @ {step}"


def _text(value: Any) -> str:
    return "—" if value is None else one_line(str(value), 60)


def _step(side: Side) -> str:
    planned = f" of {side.planned_steps}" if side.planned_steps else ""
    return "—" if side.step is None else f"{side.step}{planned}"


_SIDES: tuple[tuple[str, Callable[[Side], str]], ...] = (
    ("id", lambda side: side.id[:9]),
    ("status", lambda side: side.status),
    ("why", lambda side: one_line(side.reason, 90)),
    ("step", _step),
    ("began", lambda side: when(side.started_at)),
    ("hours", lambda side: f"{side.hours:.2f}" if side.hours is not None else "—"),
    ("attempt", lambda side: str(side.attempt) if side.attempt > 1 else ""),
    ("commit", lambda side: side.commit[:8] + (" with changes" if side.is_dirty else "")),
    ("code", lambda side: one_line(side.code, 120)),
    ("data", lambda side: side.data),
    ("model parameters", lambda side: f"{side.params:,}" if side.params else ""),
    ("accuracy", lambda side: side.accuracy),
)
