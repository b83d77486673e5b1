"""`neat run show` in text: the head, then series, predictions, checkpoints, events, configuration."""

from __future__ import annotations

from typing import Any

import click

from neatd.assist.markdown import without_controls
from neatd.assist.render import number, size
from neatd.cli.common import print_table
from neatd.cli.runheader import header
from neatd.models import Run
from neatd.pipeline.results import KINDS
from neatd.rules.predictions import WINDOW

MOST_MEASURED = 5


def print_run(found: Run, shape: dict[str, Any], is_system_too: bool) -> None:
    """Print a run as `showing.run_detail` shapes it; with the series of the machine when they are asked for."""
    for line in header(found, shape):
        click.echo(without_controls(line))
    series = shape["series"] | (shape["system"] if is_system_too else {})
    rows = [_series_row(name, one) for name, one in series.items()]
    print_table(("series", "points", "steps", "last", "best", "at step"), rows, "  no points yet")
    if shape["predictions"]:
        click.echo(f"predictions: {_predictions(shape['predictions'])}")
    here = [one for one in shape["checkpoints"] if one["status"] == "present"]
    total = size(sum(one["size_bytes"] for one in here))
    click.echo(f"checkpoints: {len(here)} ({total}); `neat checkpoints {found.name}`")
    for best in shape["best_checkpoints"]:
        click.echo(f"best: {_best(best)}")
        if best["load"]:
            click.echo(f"  {without_controls(best['load'])}")
    for one in shape["measured"][:MOST_MEASURED]:
        click.echo(without_controls(f"{one['kind']}: {one['message']}"))
    for event in [one for one in shape["events"] if one["rule"] not in KINDS][:10]:
        click.echo(f"event: {event['severity']} {event['rule']}: {event['message']}")
    if found.config:
        click.echo("config: " + ", ".join(f"{key}={value}" for key, value in found.config.items()))
    if shape["system"] and not is_system_too:
        click.echo(f"machine: {len(shape['system'])} series of memory, processors and GPUs (`--system` lists them)")


def _series_row(name: str, one: dict[str, Any]) -> tuple[str, ...]:
    steps, best_step = f"{one['first_step']}–{one['last_step']}", one["best_step"]
    at = "—" if best_step is None else str(best_step)
    return name, str(one["points"]), steps, number(one["last"]), number(one["best"]), at


def _best(one: dict[str, Any]) -> str:
    """Which checkpoint, by what, and who keeps it."""
    at = "" if one["step"] is None else f" at step {one['step']}"
    who = "kept by neat" if one["kept_by"] == "neat" else "the trainer's own"
    text = f"{one['metric']} {number(one['value'])}{at}: {one['path']} ({who})"
    return (
        text if one["is_best"] else f"{text}; {number(one['best_value'])} was reached, and its weights were not saved"
    )


def _predictions(one: dict[str, Any]) -> str:
    """The last evaluation, the last answers, the change, the trend."""
    parts = [f"{one['correct']} of {one['examples']} correct at step {one['step']} ({_percent(one['accuracy'])})"]
    parts.append(f"last 20 {_percent(one['last_20'])}, last 50 {_percent(one['last_50'])}, all {_percent(one['all'])}")
    changes = [(one["change_percent"]["before"], "the one before"), (one["change_percent"]["first"], "the first")]
    parts += [f"{change:+.3g} % against {what}" for change, what in changes if change is not None]
    if one["trend"]:
        parts.append(f"{one['trend']} (over the last {WINDOW} evaluations; `neat run show --help` has the rule)")
    return "; ".join(parts)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
