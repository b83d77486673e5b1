"""A retention plan for people: bytes before, freed and after, per run and reason, and each file with its own."""

from __future__ import annotations

from collections.abc import Iterable

import click

from neatd.assist.render import one_line, size
from neatd.cli.common import print_table
from neatd.models import Run
from neatd.pipeline.planshown import by_reason
from neatd.policy import RetentionPlan


def show(plans: Iterable[tuple[Run, RetentionPlan]]) -> None:
    """Each run with its bytes, its reasons and its files; and all of them together."""
    before = freed = count = 0
    for run, plan in plans:
        if plan.note:
            click.echo(f"{run.name}: {plan.note}", err=True)
        if plan.keep or plan.delete:
            _show_run(run, plan)
            before, freed, count = before + plan.bytes_before, freed + plan.bytes_freed, count + 1
    if count > 1:
        click.echo(f"all {count} runs: {_bytes(before, freed)}")
    if not count:
        click.echo("no checkpoints", err=True)


def _bytes(before: int, freed: int) -> str:
    return f"{size(before)} before, {size(before - freed)} after; frees {size(freed)} of {size(before)}"


def _show_run(run: Run, plan: RetentionPlan) -> None:
    click.echo(
        f"{run.name}: {len(plan.keep)} stay, {len(plan.delete)} go; {_bytes(plan.bytes_before, plan.bytes_freed)}"
    )
    if plan.is_most:
        click.echo("  more than half: `neat retention apply` needs --yes, and neatd waits for it where these are old")
    rows = [
        ("go" if goes else "keep", str(count), size(total), size(only), why)
        for goes, why, count, total, only in by_reason(plan)
    ]
    print_table(("", "saves", "bytes", "for this alone", "why"), rows, "")
    files = [("keep", k.checkpoint, one_line("; ".join(k.reasons), 120)) for k in plan.keep]
    files += [("go", d.checkpoint, d.reason) for d in plan.delete]
    print_table(
        ("", "file", "size", "why"),
        [(mark, _name(one.path, one.parts), size(one.size_bytes), why) for mark, one, why in files],
        "",
    )


def _name(path: str, parts: tuple[str, ...]) -> str:
    return f"{path} + {len(parts)}" if parts else path
