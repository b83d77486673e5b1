"""The feasible combinations of the parameters that have an end of values: enumerated once, then looked up. Pure.

Invariant: a row is here exactly if every expression that speaks of its parameters alone holds for it, so a point that is
built on a row never has to be thrown away for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.studies.parameters import Parameter, Value

MOST_ROWS = 20_000
MOST_LOOKS = 400_000  # combinations looked at: some microseconds each, and as much again for each expression
Row = tuple[Value, ...]
Names = dict[str, Any]


class Branch(NamedTuple):
    """A value of one parameter and what may follow it: those of the next one, or none after the last."""

    value: Value
    weight: float
    rest: tuple[Branch, ...]


def enumerate_rows(
    space: Mapping[str, Parameter],
    names: Sequence[str],
    base: Names,
    holds: Callable[[int, Names], bool],
    choices: Callable[[str, Names], Sequence[Value] | None],
) -> tuple[tuple[Row, ...], tuple[Branch, ...]]:
    """(rows in order, the same as a tree) over `names`.

    `holds(depth, names)` asks what is known once so many have values, and may add derived values; `choices` gives the
    values of which one has the first that fits, or None where it may have each of its values. Raises NeatError beyond
    the limits.
    """
    rows: list[Row] = []
    looks = 0

    def branches(depth: int, known: Names, row: Row) -> Iterator[Branch]:
        nonlocal looks
        if depth == len(names):
            if len(rows) == MOST_ROWS:
                raise _too_many(space, names)
            rows.append(row)
            return
        name = names[depth]
        only = choices(name, known)
        for value in _values(space[name], only):
            looks += 1
            if looks > MOST_LOOKS:
                raise _too_many(space, names)
            inner = {**known, name: value}
            if not holds(depth + 1, inner):
                continue
            before = len(rows)
            rest = tuple(branches(depth + 1, inner, (*row, value)))
            if len(rows) > before:
                yield Branch(value, space[name].weight(value), rest)
                if only is not None:
                    return

    start = dict(base)
    tree = tuple(branches(0, start, ())) if holds(0, start) else ()
    return tuple(rows), tree


def _values(one: Parameter, only: Sequence[Value] | None) -> Iterator[Value]:
    if only is not None:
        yield from only
    else:
        yield from (one.value(index) for index in range(one.count or 0))


def pick(tree: tuple[Branch, ...], shares: Sequence[float]) -> Row:
    """The row that numbers from 0 to 1 lead to, one for each parameter: of the values that may follow, by their weight."""
    row: list[Value] = []
    for share in shares:
        left = share * sum(branch.weight for branch in tree)
        chosen = tree[-1]
        for branch in tree:
            if left < branch.weight:
                chosen = branch
                break
            left -= branch.weight
        row.append(chosen.value)
        tree = chosen.rest
    return tuple(row)


def _too_many(space: Mapping[str, Parameter], names: Sequence[str]) -> NeatError:
    widest = max(names, key=lambda name: space[name].count or 0)
    return NeatError(
        f"the search has more than {MOST_ROWS:,} combinations of {', '.join(names)}, or too many to look at",
        f"give `{widest}` a step, or fewer values: what constraints and the budget speak of is enumerated",
    )
