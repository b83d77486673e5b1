"""`neat verify`: re-read the sources of what the records claim."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from neatd.assist.render import one_line
from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.errors import NeatError
from neatd.knowledge import RECORD_KINDS, Record
from neatd.pipeline.verifying import Finding, verify
from neatd.store import records
from neatd.store.evidence import claims

_LONG_BYTES = 16 << 20  # read in two seconds: beyond it the progress is shown
_WORDS = {True: "holds", False: "does not hold", None: "cannot be checked"}


@click.command("verify", short_help="Re-read the sources of what records claim.")
@click.argument("ids", nargs=-1, metavar="[ID…]")
@json_option
@click.pass_context
def verify_(context: click.Context, ids: tuple[str, ...], as_json: bool) -> None:
    """Re-read the sources of what records claim, and say what no longer holds.

    Of all records, or of these. Exit code 1 when something does not hold. What only the store still knows is listed as
    not checked.

    \b
    neat verify
    neat verify d-7k2q
    """
    opened = open_here(warn=False)
    found = _chosen(opened, ids) if ids else claims(opened.records, opened.project.id)
    with _progress() as say:
        now = datetime.now(UTC)
        findings = verify(opened.records, opened.points, opened.root, found, now, say)
    counts = {name: sum(one.holds is name for one in findings) for name in (True, False, None)}
    if as_json:
        names = {"checked": len(findings), "holding": counts[True], "broken": counts[False], "unchecked": counts[None]}
        print_json({**names, "findings": findings})
    else:
        _print(findings, counts)
    context.exit(1 if counts[False] else 0)


def _chosen(opened: Open, ids: tuple[str, ...]) -> list[tuple[str, Record]]:
    found = []
    for word in ids:
        kind, full = records.resolve(opened.records, word)
        if kind not in RECORD_KINDS:
            raise NeatError(f"a {kind} claims nothing: {word}", "`neat list` shows the records")
        found.append((kind, records.get(opened.records, kind, full)))
    return found


def _print(findings: list[Finding], counts: dict[bool | None, int]) -> None:
    shorts = records.unique_prefixes([one.record for one in findings])
    rows = [
        (shorts[one.record], one.kind, _WORDS[one.holds], one_line(one.claim, 90), one_line(one.reason, 140))
        for one in sorted(findings, key=lambda one: one.holds is None)
        if not one.holds
    ]
    if rows:
        print_table(("id", "kind", "", "claim", "why"), rows, "")
    parts = [
        f"{count} {_plural(word, count)}" for word, count in zip(_WORDS.values(), counts.values(), strict=True) if count
    ]
    click.echo(", ".join(parts) or "no record claims anything: `--evidence RUN:METRIC` on a record does")


def _plural(word: str, count: int) -> str:
    return word if count == 1 else {"holds": "hold", "does not hold": "do not hold"}.get(word, word)


def _progress() -> AbstractContextManager[Callable[[Path, int], None]]:
    """Where a person looks on: which long file is being read, and how far."""
    if not sys.stderr.isatty():
        return nullcontext(_say_nothing)
    return _Progress()


def _say_nothing(path: Path, done: int) -> None:
    pass


class _Progress:
    """One line on the terminal, rewritten; nothing for short files."""

    def __init__(self) -> None:
        self._sizes: dict[Path, int] = {}
        self._is_shown = False

    def __enter__(self) -> Callable[[Path, int], None]:
        return self._say

    def _say(self, path: Path, done: int) -> None:
        size = self._sizes.setdefault(path, path.stat().st_size)
        if size > _LONG_BYTES:
            self._is_shown = True
            click.echo(f"\r\x1b[K{path.parent.name}/{path.name}: {100 * done // size} %", nl=False, err=True)

    def __exit__(self, *error: Any) -> None:
        if self._is_shown:
            click.echo("\r\x1b[K", nl=False, err=True)
