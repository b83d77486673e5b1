"""The points of a search: which there are, what is derived of them, and what makes two of them the same. Pure.

What constraints and the budget speak of is enumerated where it has an end; a parameter that the budget decides is derived.
Invariant: a Point that this module made satisfies every constraint and the budget; nobody has to throw one away.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from neatd.errors import NeatError
from neatd.expressions import Expression
from neatd.studies.parameters import Parameter, Value
from neatd.studies.spec import COUNT, StudyFile
from neatd.studies.table import MOST_ROWS, Names, Row, enumerate_rows, pick

MOST_NEAR = 200  # rows looked at around a point that what is no row forbids
HINT = "loosen the constraints or the budget's tolerance, or widen the space"


class Point(NamedTuple):
    """What a trial is tried with: the searched parameters, and what was made of them."""

    params: dict[str, Value]
    derived: dict[str, Value]


def fingerprint(params: Mapping[str, Value]) -> str:
    """The same for the same values, whatever their order and however they were written."""
    plain = {name: float(one) if type(one) is int else one for name, one in params.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:20]


class Space:
    """The feasible points of a study. Raises NeatError where there is none, or more than can be enumerated."""

    def __init__(self, spec: StudyFile) -> None:
        self.spec, self.parameters = spec, dict(spec.space)
        self.by = spec.budget.by if spec.budget else None
        known = [*spec.set, *spec.space]
        self._derived: dict[str, Expression] = {}
        for name, text in spec.expressions.items():
            self._derived[name] = Expression(text, known)
            known.append(name)
        self._constraints = [Expression(text, known) for text in spec.constraints]
        self._solved: dict[tuple[Value, ...], tuple[Value, ...]] = {}
        self.tabled = self._choose_tabled()
        self.free = tuple(name for name in self.asked if name not in self.tabled)
        self._plan = [self._due(depth) for depth in range(len(self.tabled) + 1)]
        self.rows, self._tree = enumerate_rows(self.parameters, self.tabled, dict(spec.set), self._holds, self._only)
        if not self.rows:
            raise NeatError(f"study {spec.name}: no point of the space meets its constraints", HINT)

    @property
    def asked(self) -> tuple[str, ...]:
        """The parameters that a sampler chooses: all but the one that the budget decides."""
        return tuple(name for name in self.parameters if name != self.by)

    @property
    def size(self) -> int | None:
        """How many points there are; None where there is no end of them, or nobody counted."""
        return None if self.free or self._is_by_late else len(self.rows)

    def from_shares(self, shares: Sequence[float]) -> Point | None:
        """The point that numbers from 0 to 1 lead to, one for each asked parameter; None where what is no row forbids it."""
        chosen = [name for name in self.tabled if name != self.by]
        row = pick(self._tree, [*shares[: len(chosen)], *([0.0] if self.by in self.tabled else [])])
        rest = {
            name: self.parameters[name].at(share) for name, share in zip(self.free, shares[len(chosen) :], strict=True)
        }
        return self.complete(dict(zip(self.tabled, row, strict=True)) | rest)

    def from_row(self, index: int) -> Point:
        """The point of a row, where rows are all there is."""
        point = self.complete(dict(zip(self.tabled, self.rows[index], strict=True)))
        assert point is not None, "a row is feasible"
        return point

    def near(self, wanted: Mapping[str, Value], tried: Collection[str]) -> Point | None:
        """The feasible point nearest to `wanted` that is not among the `tried` fingerprints; None where none is left near."""
        rest = {name: wanted[name] for name in self.free}
        for row in islice(self._by_distance(wanted), MOST_NEAR + len(tried)):
            point = self.complete(dict(zip(self.tabled, row, strict=True)) | rest)
            if point is not None and fingerprint(point.params) not in tried:
                return point
        return None

    def complete(self, params: Mapping[str, Value]) -> Point | None:
        """The point of these values, what the budget decides chosen if it is missing; None where it is not feasible."""
        names: Names = {**self.spec.set, **params}
        if not self.by or self.by in names:
            return self._whole(names)
        found = (self._whole({**names, self.by: value}) for value in self._by_values(names))
        return next((point for point in found if point is not None), None)

    def _whole(self, names: Names) -> Point | None:
        derived: dict[str, Value] = {}
        for name, expression in self._derived.items():
            value = expression.value(names)
            if value is None:
                return None
            names[name] = derived[name] = value
        if not self._is_within_budget(names) or not all(one.value(names) is True for one in self._constraints):
            return None
        return Point({name: names[name] for name in self.parameters}, derived)

    def why_not(self, params: Mapping[str, Value]) -> str:
        """Which constraint a point breaks, for who typed it; "" for a feasible one."""
        names: Names = {**self.spec.set, **params}
        for name, expression in self._derived.items():
            names[name] = expression.value(names)
        for one in self._constraints:
            if one.value(names) is not True:
                return f"{one.text} does not hold"
        if not self._is_within_budget(names):
            budget = self.spec.budget
            assert budget is not None
            return f"{names[COUNT]:,} parameters are not {budget.parameters:,.0f} give or take {budget.tolerance:.0%}"
        return ""

    def derive(self, params: Mapping[str, Value]) -> dict[str, Value]:
        """What the expressions make of any values, feasible or not."""
        names: Names = {**self.spec.set, **params}
        for name, expression in self._derived.items():
            value = expression.value(names)
            if value is not None:
                names[name] = value
        return {name: names[name] for name in self._derived if name in names}

    # ---- what is enumerated ----

    def _choose_tabled(self) -> tuple[str, ...]:
        """The parameters with an end of values that expressions speak of, and of the others as many as there is room for."""
        ended = {name: one.count for name, one in self.parameters.items() if one.count is not None}
        linked = [name for name in ended if name in self._linked]
        size = math.prod(ended[name] or 1 for name in linked if name != self.by)
        chosen = set(linked)
        for name in sorted(set(ended) - chosen, key=lambda name: (ended[name], list(ended).index(name))):
            size *= ended[name] or 1
            if size > MOST_ROWS and self.spec.sampler.kind != "grid":
                break
            chosen.add(name)
        if self._is_by_late:
            chosen.discard(str(self.by))
        return tuple(sorted(chosen, key=lambda name: (name == self.by, list(self.parameters).index(name))))

    @cached_property
    def _linked(self) -> frozenset[str]:
        """The parameters that constraints and the budget speak of."""
        spoken = [*self._constraints, *([self._derived[COUNT]] if self.spec.budget else [])]
        found = {name for one in spoken for name in self._roots(one)}
        return frozenset(found | ({self.by} if self.by else set()))

    @cached_property
    def _is_by_late(self) -> bool:
        """Whether the parameter that the budget decides depends on one without an end of values."""
        if not self.by:
            return False
        return any(self.parameters[name].count is None for name in self._roots(self._derived[COUNT]))

    def _roots(self, expression: Expression) -> set[str]:
        """The searched parameters that an expression comes from."""
        found: set[str] = set()
        for name in expression.names:
            found |= self._roots(self._derived[name]) if name in self._derived else {name} & set(self.parameters)
        return found

    def _due(self, depth: int) -> tuple[list[tuple[str, Expression]], list[Expression], bool]:
        """What can be told once `depth` of the tabled parameters have values, and not before."""
        now, before = set(self.tabled[:depth]), set(self.tabled[: depth - 1]) if depth else None

        def is_due(expression: Expression) -> bool:
            roots = self._roots(expression)
            return roots <= now and (before is None or not roots <= before)

        derived = [(name, one) for name, one in self._derived.items() if is_due(one)]
        is_budget_due = bool(self.spec.budget) and is_due(self._derived[COUNT]) and self.by not in self.tabled
        return derived, [one for one in self._constraints if is_due(one)], is_budget_due

    def _holds(self, depth: int, names: Names) -> bool:
        derived, constraints, is_budget_due = self._plan[depth]
        for name, expression in derived:
            names[name] = expression.value(names)
            if names[name] is None:
                return False
        if is_budget_due and not self._is_within_budget(names):
            return False
        return all(one.value(names) is True for one in constraints)

    def _only(self, name: str, names: Names) -> Sequence[Value] | None:
        return self._by_values(names) if name == self.by else None

    # ---- the budget ----

    def _is_within_budget(self, names: Names) -> bool:
        budget = self.spec.budget
        if budget is None:
            return True
        count = names.get(COUNT)
        return isinstance(count, int | float) and abs(count - budget.parameters) <= budget.tolerance * budget.parameters

    def _by_values(self, names: Names) -> tuple[Value, ...]:
        """The values of `by` that meet the budget, the closest first."""
        assert self.by is not None and self.spec.budget is not None
        roots = sorted(self._roots(self._derived[COUNT]) - {self.by})
        key = tuple(names[name] for name in roots)
        if key not in self._solved:
            self._solved[key] = tuple(self._solve(names))
        return self._solved[key]

    def _solve(self, names: Names) -> Iterator[Value]:
        assert self.by is not None and self.spec.budget is not None
        one, wanted = self.parameters[self.by], self.spec.budget.parameters
        found: list[tuple[float, int]] = []
        for index in range(one.count or 0):
            value = one.value(index)
            count = self._count({**names, self.by: value})
            if count is not None and abs(count - wanted) <= self.spec.budget.tolerance * wanted:
                found.append((abs(count - wanted), int(value)))
        yield from (value for _, value in sorted(found))

    def _count(self, names: Names) -> float | None:
        """The parameters of the model, by these values."""
        for name, expression in self._derived.items():
            names[name] = expression.value(names)
            if name == COUNT:
                break
        count = names[COUNT]
        return count if isinstance(count, int | float) else None

    def _by_distance(self, wanted: Mapping[str, Value]) -> Iterator[Row]:
        """The rows, the nearest first; of equally near ones the first."""
        import heapq

        places = [(index, name) for index, name in enumerate(self.tabled) if name != self.by]
        far: dict[int, dict[Any, float]] = {
            index: {value: self.parameters[name].distance(wanted[name], value) ** 2 for value in self._values_at[index]}
            for index, name in places
        }
        heap = [(sum(far[index][row[index]] for index, _ in places), number) for number, row in enumerate(self.rows)]
        heapq.heapify(heap)
        while heap:
            yield self.rows[heapq.heappop(heap)[1]]

    @cached_property
    def _values_at(self) -> list[set[Value]]:
        return [{row[index] for row in self.rows} for index in range(len(self.tabled))]


def parameter_of(space: Space, name: str) -> Parameter:
    """The parameter of that name; raises NeatError naming those that there are."""
    found = space.parameters.get(name)
    if found is None:
        raise NeatError(f"the study does not search {name!r}", f"it searches {', '.join(space.parameters)}")
    return found
