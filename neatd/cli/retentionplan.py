"""A retention plan for people and programs: bytes before, freed and after, per run and reason, and each file with its own."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import click

from neatd.assist.render import one_line, size
from neatd.cli.common import print_table
from neatd.models import Run
from neatd.policy import RetentionPlan

# What tells one checkpoint from another in a reason, so that those of one kind are counted together.
_KINDS = (
    (re.compile(r"^nearest to step \d+$"), "nearest to a step"),
    (re.compile(r"^(best (?:\d+ of )?.*) [-+.\dinfae]+$"), r"\1"),
    (re.compile(r"^pinned: source of snapshot .*"), "source of a snapshot"),
    (re.compile(r"^pinned: snapshot .* is being taken of it$"), "source of a snapshot"),
    (re.compile(r"^pinned: by hand.*"), "pinned by hand"),
    (re.compile(r"^pinned: .* is a link to it$"), "target of a link"),
    (re.compile(r"^pinned: (?:start of|named by) .*"), "something starts from it"),
)


def shape(run: Run, plan: RetentionPlan) -> dict[str, Any]:
    """A plan as `--json` has it."""
    return {
        "run": run.id, "name": run.name, "bytes_before": plan.bytes_before, "bytes_freed": plan.bytes_freed,
        "bytes_after": plan.bytes_before - plan.bytes_freed,
        "keep": [
            {"path": k.checkpoint.path, "step": k.checkpoint.step, "reasons": k.reasons, "id": k.checkpoint.id,
             "size_bytes": k.checkpoint.size_bytes, "parts": k.checkpoint.parts}
            for k in plan.keep
        ],
        "delete": [
            {"path": d.checkpoint.path, "step": d.checkpoint.step, "reason": d.reason, "id": d.checkpoint.id,
             "size_bytes": d.checkpoint.size_bytes, "parts": d.checkpoint.parts}
            for d in plan.delete
        ],
        "reasons": [
            {"why": why, "goes": goes, "checkpoints": count, "bytes": total, "only_bytes": only}
            for goes, why, count, total, only in by_reason(plan)
        ],
        "needs_yes": plan.is_most, "note": plan.note,
    }  # fmt: skip


def by_reason(plan: RetentionPlan) -> list[tuple[bool, str, int, int, int]]:
    """(goes, kind of reason, checkpoints, bytes, bytes that nothing else keeps), those that keep most first.

    A checkpoint with several reasons counts for each of them.
    """
    found: dict[tuple[bool, str], list[int]] = {}
    for kept in plan.keep:
        kinds = {_kind(reason) for reason in kept.reasons}
        for kind in kinds:
            _count(found, (False, kind), kept.checkpoint.size_bytes, len(kinds) == 1)
    for dropped in plan.delete:
        _count(found, (True, dropped.reason), dropped.checkpoint.size_bytes, True)
    rows = [(goes, why, count, total, only) for (goes, why), (count, total, only) in found.items()]
    return sorted(rows, key=lambda row: (row[0], -row[3], row[1]))


def _count(found: dict[tuple[bool, str], list[int]], key: tuple[bool, str], size_bytes: int, is_only: bool) -> None:
    numbers = found.setdefault(key, [0, 0, 0])
    numbers[0] += 1
    numbers[1] += size_bytes
    numbers[2] += size_bytes if is_only else 0


def _kind(reason: str) -> str:
    for pattern, kind in _KINDS:
        if pattern.match(reason):
            return pattern.sub(kind, reason)
    return reason


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
