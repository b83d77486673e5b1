"""The values of a parameter in groups: few values as they are, many numbers as ranges with stated edges. Pure.

Invariant: every trial is in exactly one group, one without the parameter too.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from neatd.studies.tried import Tried

FEW = 8  # so many different numbers are shown as they are; on a log scale as many ranges at the most
MOST = 24  # different values that are no numbers
RANGES = 4  # of numbers that are spread evenly: as many trials in each
WIDE = 100  # numbers whose largest is so many times their smallest are looked at on a log scale
_NO = object()


class Group(NamedTuple):
    """Trials with a value in common. A range goes from above `above` (None: from the smallest) up to `up_to`."""

    label: str
    trials: tuple[Tried, ...]
    value: Any = None
    above: float | None = None
    up_to: float | None = None
    is_range: bool = False
    is_given: bool = True


def groups_of(trials: Sequence[Tried], name: str, few: int = FEW) -> list[Group]:
    """The trials by a parameter or a derived value of theirs: numbers first, ascending; those without it last.

    More than `few` different numbers become ranges, at most as many, unless they were choices.
    """
    pairs = [(one.all_values.get(name, _NO), one) for one in trials]
    given = [(value, one) for value, one in pairs if value is not _NO]
    numbers = [(float(value), one) for value, one in given if is_number(value)]
    others = [(value, one) for value, one in given if not is_number(value)]
    found = _of_numbers(numbers, given, name, few) + _as_they_are(others)
    missing = tuple(one for value, one in pairs if value is _NO)
    return found + ([Group("not given", missing, is_given=False)] if missing else [])


def is_number(value: Any) -> bool:
    """A finite number; a flag is none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def shown(value: Any) -> str:
    """A value as a cell shows it: six digits of a float."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _of_numbers(numbers: list[tuple[float, Tried]], given: list[tuple[Any, Tried]], name: str, few: int) -> list[Group]:
    if not numbers:
        return []
    distributions = {one.space[name] for _, one in numbers if name in one.space}
    is_choice = any("Categorical" in text for text in distributions)
    distinct = {number for number, _ in numbers}
    if len(distinct) <= (MOST if is_choice else few):
        return _as_they_are([(value, one) for value, one in given if is_number(value)])
    is_log = any('"log": true' in text for text in distributions)
    is_whole = all(number.is_integer() for number in distinct)
    if not distributions:
        is_log = min(distinct) > 0 and max(distinct) / min(distinct) >= WIDE
    ordered = sorted(number for number, _ in numbers)
    edges = _log_edges(ordered[0], ordered[-1], few) if is_log and ordered[0] > 0 else []
    return _ranges(numbers, edges or _quantile_edges(ordered, is_whole), is_whole)


def _as_they_are(pairs: list[tuple[Any, Tried]]) -> list[Group]:
    """One group a value; beyond MOST of them the rarest together."""
    by_key: dict[tuple[int, Any, str], list[tuple[Any, Tried]]] = {}
    for value, one in pairs:
        by_key.setdefault(_key(value), []).append((value, one))
    if len(by_key) > MOST:
        often = Counter({key: len(members) for key, members in by_key.items()})
        kept = {key for key, _ in often.most_common(MOST - 1)}
        rest = tuple(one for key in by_key if key not in kept for _, one in by_key[key])
        groups = [_group(by_key[key]) for key in sorted(kept)]
        return [*groups, Group(f"{len(by_key) - len(kept)} other values", rest)]
    return [_group(by_key[key]) for key in sorted(by_key)]


def _group(members: list[tuple[Any, Tried]]) -> Group:
    value = members[0][0]
    return Group(shown(value), tuple(one for _, one in members), value)


def _key(value: Any) -> tuple[int, Any, str]:
    """What tells values apart and orders them: numbers, flags, texts, the rest; 1 and 1.0 are one value, 1 and true two."""
    if is_number(value):
        return 0, float(value), ""
    kinds = {bool: 1, str: 2}
    return kinds.get(type(value), 4 if value is None else 3), 0, shown(value)


def _log_edges(low: float, high: float, most: int) -> list[float]:
    """Round numbers between: 1 and 3 of each power of ten, powers alone where these would be too many."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for every, heads in [(1, (1, 3)), *((every, (1,)) for every in range(1, 700))]:
        edges = [float(f"{head}e{power}") for power in range(first, last + 1, every) for head in heads]
        edges = [edge for edge in edges if low < edge < high]
        if len(edges) < most:
            return edges
    return []


def _quantile_edges(ordered: list[float], is_whole: bool) -> list[float]:
    """Edges that leave about as many numbers between each two of them; rounded where that changes nothing."""
    edges: list[float] = []
    for part in range(1, RANGES):
        at = len(ordered) * part // RANGES - 1
        edge = ordered[max(0, at)]
        above = ordered[min(len(ordered) - 1, bisect_left(ordered, math.nextafter(edge, math.inf)))]
        edge = edge if is_whole else _rounded(edge, above)
        if edge < ordered[-1] and edge not in edges:
            edges.append(edge)
    return edges


def _rounded(edge: float, above: float) -> float:
    """The shortest number from `edge` to below `above`: it divides the same."""
    if edge == 0 or not 1e-290 < abs(edge) < 1e290:
        return edge
    for digits in range(1, 16):
        unit = 10.0 ** (math.floor(math.log10(abs(edge))) + 1 - digits)
        short = float(f"{math.ceil(edge / unit) * unit:.{digits + 1}g}")
        if edge <= short < above:
            return short
    return edge


def _ranges(numbers: list[tuple[float, Tried]], edges: list[float], is_whole: bool) -> list[Group]:
    members: list[list[Tried]] = [[] for _ in range(len(edges) + 1)]
    for number, one in numbers:
        members[bisect_left(edges, number)].append(one)
    low, high = min(number for number, _ in numbers), max(number for number, _ in numbers)
    found = []
    for index, inside in enumerate(members):
        above, up_to = (edges[index - 1] if index else None), (edges[index] if index < len(edges) else high)
        if inside:
            label = _label(low if above is None else above, up_to, is_whole, above is not None)
            found.append(Group(label, tuple(inside), None, above, up_to, is_range=True))
    return found


def _label(start: float, end: float, is_whole: bool, is_above: bool) -> str:
    if is_whole:
        first = math.floor(start) + 1 if is_above else int(start)
        return f"{first} to {math.floor(end)}" if first != math.floor(end) else f"{first}"
    return f"{'above ' if is_above else ''}{start:.4g} to {end:.4g}"
