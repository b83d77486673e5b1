"""What came of a rule that was tried on a run, printed: as a table and its sums, and as a shape for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from neatd.assist.render import one_line, size
from neatd.cli.common import print_table
from neatd.models import Run
from neatd.pipeline.ruleset import Placed
from neatd.pipeline.trying import Fired, Tried, saved
from neatd.rules.conditions import Best
from neatd.rules.schema import Rule

MOST_ROWS = 50


def tried_shape(placed: Placed, run: Run, tried: Tried) -> dict[str, Any]:
    """All of it."""
    kept = saved(tried.fired)
    return {
        "rule": placed.rule.rule, "file": str(placed.path), "state": placed.state, "run": run.id, "name": run.name,
        "series": tried.series,
        "steps": tried.steps, "count": len(tried.fired), "per_10000_steps": tried.per_10000,
        "is_thinned": tried.is_thinned, "alerts": sum("alert" in one.verdict.then for one in tried.fired),
        "snapshots_per_hour": placed.rule.budget.snapshots_per_hour,
        "beyond_budget": sum(one.is_beyond for one in tried.fired),
        "fired": [_fired_shape(one) for one in tried.fired],
        "saved": [{"path": path, "step": one.step, "size_bytes": one.size_bytes, "is_there": _is_there(run, path)}
                  for path, one in kept.items()],
        "only_did_fire": [{"id": one.id, "metric": one.metric, "step": one.step, "value": one.value,
                           "message": one.message} for one in tried.only_did],
    }  # fmt: skip


def _fired_shape(one: Fired) -> dict[str, Any]:
    verdict, episode = one.verdict, one.episode
    return {
        "metric": verdict.metric, "step": verdict.step, "attempt": verdict.attempt, "value": verdict.value,
        "score": verdict.score, "threshold": verdict.threshold, "severity": verdict.severity,
        "message": verdict.message, "then": verdict.then, "checkpoint": one.checkpoint.path if one.checkpoint else None,
        "is_beyond_budget": one.is_beyond, "did_fire": one.did_fire, "end_step": episode.end_step if episode else None,
        "peak": episode.peak if episode else None, "peak_step": episode.peak_step if episode else None,
    }  # fmt: skip


def _is_there(run: Run, path: str) -> bool:
    return (Path(run.root) / run.folder / path).exists()


def print_tried(placed: Placed, run: Run, tried: Tried) -> None:
    """What a person wants to know."""
    rule = placed.rule
    if not tried.series:
        patterns = ", ".join(rule.metrics)
        click.echo(f"{rule.rule} looks at no series of {run.name} (metrics: {patterns}); `neat run show` lists them")
        return
    rows = [
        (
            str(one.verdict.step), one.verdict.severity, one_line(one.verdict.message, 100), _episode(one),
            _kept(one), "yes" if one.did_fire else "no",
        )
        for one in tried.fired
    ]  # fmt: skip
    print_table(
        ("step", "severity", "what", "until", "would keep", "did fire"), rows[:MOST_ROWS], "it would not have fired"
    )
    if len(rows) > MOST_ROWS:
        click.echo(f"and {len(rows) - MOST_ROWS} more; --json lists all")
    rate = "" if tried.per_10000 is None else f", {tried.per_10000:.3g} in 10,000 steps"
    series = f"{len(tried.series)} series" if len(tried.series) > 1 else tried.series[0]
    click.echo(
        f"{rule.rule} on {run.name}: {_count(len(tried.fired), 'event')} in {tried.steps} steps of {series}{rate}"
    )
    _print_saved(placed.rule, run, tried)
    if tried.only_did:
        steps = ", ".join(f"{one.metric} at {one.step}" for one in tried.only_did[:10])
        more = f" and {len(tried.only_did) - 10} more" if len(tried.only_did) > 10 else ""
        click.echo(f"fired then, and would not now: {steps}{more}")
    if tried.is_thinned:
        click.echo("note: of this run's long series only every so many points are kept by now", err=True)


def _print_saved(rule: Rule, run: Run, tried: Tried) -> None:
    kept = saved(tried.fired)
    wished = sum(one.verdict.wants_snapshot for one in tried.fired)
    if kept:
        total = size(sum(one.size_bytes for one in kept.values()))
        gone = [path for path in kept if not _is_there(run, path)]
        note = f"; {len(gone)} of them are not there any more" if gone else ""
        click.echo(f"it would have kept {_count(len(kept), 'checkpoint')}, {total}{note}")
    elif wished > sum(one.is_beyond for one in tried.fired):
        click.echo(f"it would have asked for {_count(wished, 'snapshot')}; there was no checkpoint from before")
    if beyond := sum(one.is_beyond for one in tried.fired):
        is_replaced = isinstance(rule.when, Best) and not rule.budget.keep_beaten and rule.budget.snapshots_per_hour
        how = "a better one would have taken their place" if is_replaced else "checkpoints only protected in place"
        each = f"{rule.budget.snapshots_per_hour} an hour (snapshots_per_hour)"
        click.echo(f"the budget of {each} would have suppressed {_count(beyond, 'snapshot')}: {how}")


def _kept(one: Fired) -> str:
    return "(beyond the budget)" if one.is_beyond else one.checkpoint.path if one.checkpoint else ""


def _episode(one: Fired) -> str:
    if one.episode is None:
        return ""
    return f"{one.episode.end_step}, peak {one.episode.peak:.4g} at {one.episode.peak_step}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
