"""Lines by the series they name: those alike become columns, so that many of them are one block. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import itemgetter

from neatd.models import Line, Stretch


def together(lines: Iterable[Line | Stretch]) -> list[Stretch]:
    """Lines of one attempt as one stretch for each set of series, in file order within each. Lines without any are left out."""
    alike: dict[tuple[str, ...], list[Line | Stretch]] = {}
    for one in lines:
        names = tuple(one.columns) if isinstance(one, Stretch) else tuple(one.values)
        if names:
            alike.setdefault(names, []).append(one)
    return [_joined(names, some) for names, some in alike.items()]


def _joined(names: tuple[str, ...], some: list[Line | Stretch]) -> Stretch:
    parts: list[Stretch] = []
    single: list[Line] = []
    for one in some:
        if isinstance(one, Line):
            single.append(one)
            continue
        if single:
            parts.append(_columns(names, single))
            single = []
        parts.append(one)
    if single:
        parts.append(_columns(names, single))
    if len(parts) == 1:
        return parts[0]
    columns = {name: tuple(chain.from_iterable(part.columns[name] for part in parts)) for name in names}
    seqs, steps, times = (
        tuple(chain.from_iterable(getattr(part, name) for part in parts)) for name in ("seqs", "steps", "times")
    )
    return Stretch(seqs, steps, times, columns, parts[0].attempt)


def _columns(names: tuple[str, ...], lines: list[Line]) -> Stretch:
    seqs, attempts, steps, times, values = zip(*lines, strict=True)
    columns = dict(zip(names, zip(*(one.values() for one in values), strict=True), strict=True))
    return Stretch(seqs, steps, times, columns, attempts[0])


def last_step(lines: Sequence[Line | Stretch]) -> int | None:
    """The step of the line with the highest ordinal; None without any."""
    ends = [(one.seqs[-1], one.steps[-1]) if isinstance(one, Stretch) else (one.seq, one.step) for one in lines]
    return max(ends, key=itemgetter(0))[1] if ends else None
