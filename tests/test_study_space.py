"""The points of a search: each one feasible, none twice, as many as there are, the same from the same seed."""

from __future__ import annotations

import hashlib
import struct
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.errors import NeatError
from neatd.studies.parameters import Parameter
from neatd.studies.sampling import Sequence, random_point
from neatd.studies.sobol import MOST_DIMENSIONS, sobol
from neatd.studies.space import Point, Space, fingerprint
from neatd.studies.spec import StudyFile
from tests.studies_made import spaces, study_file

# `scipy.stats.qmc.Sobol(21, scramble=False).random(128)`, as little-endian doubles.
THEIRS = "3d505daaf00cadb42e7726d1bd54c6b2c44f1bf6a1afdc8898f55135adc5ad8f"


def opened(spec: StudyFile) -> Space | None:
    """The space, or None where nothing of it is feasible."""
    try:
        return Space(spec)
    except NeatError as error:
        assert "no point of the space meets its constraints" in error.message
        return None


def holds(spec: StudyFile, point: Point) -> None:
    """All that the file demands, told by Python itself and not by the code under test."""
    names: dict[str, Any] = {**spec.set, **point.params}
    for name, text in spec.expressions.items():
        names[name] = eval(text, {"__builtins__": {}}, names)
    assert point.derived == {name: names[name] for name in spec.expressions}
    for text in spec.constraints:
        assert eval(text, {"__builtins__": {}}, names), (text, names)
    if spec.budget:
        wanted = spec.budget.parameters
        assert abs(names["parameters"] - wanted) <= spec.budget.tolerance * wanted
    for name, one in spec.space.items():
        assert one.typed(point.params[name]) == point.params[name], (name, point)


@pytest.mark.parametrize("kind", ["grid", "random", "sobol"])
@settings(max_examples=15)
@given(data=st.data())
def test_every_point_is_feasible_and_none_comes_twice(kind: str, data: st.DataObject) -> None:
    """Whatever the constraints and the budget: nothing is thrown away, for nothing else is ever asked."""
    spec = data.draw(spaces(kind))
    space = opened(spec)
    if space is None:
        return
    sequence, tried = Sequence(space), dict[str, Point]()
    while len(tried) < 12 and (points := sequence.next_points(tried, 5)):
        for point in points:
            holds(spec, point)
            assert fingerprint(point.params) not in tried
            tried[fingerprint(point.params)] = point
    assert len(tried) >= min(12, space.size if space.size is not None else 1)


@settings(max_examples=15)
@given(data=st.data())
def test_the_nearest_point_is_feasible_and_new(data: st.DataObject) -> None:
    """What a sampler proposes becomes a point that may be tried, whatever it proposed."""
    spec = data.draw(spaces("tpe"))
    space = opened(spec)
    if space is None:
        return
    tried: set[str] = set()
    for _ in range(4):
        shares = data.draw(st.lists(st.floats(0, 0.999), min_size=5, max_size=5))
        wanted = {name: space.parameters[name].at(share) for name, share in zip(space.asked, shares, strict=False)}
        point = space.near(wanted, tried) or random_point(space, tried, "x")
        if point is not None:
            holds(spec, point)
            assert fingerprint(point.params) not in tried
            tried.add(fingerprint(point.params))


def test_a_grid_is_all_that_is_feasible_and_nothing_else() -> None:
    """Counted by hand: the same set as a loop over all combinations, each once."""
    spec = study_file(
        command=None, trainer="lm", constraints=["dim % heads == 0"], sampler={"kind": "grid"},
        space={"dim": {"type": "int", "low": 8, "high": 40, "step": 8}, "heads": [2, 3, 16]},
    )  # fmt: skip
    space = Space(spec)
    found = Sequence(space).next_points((), 100)
    wanted = {(dim, heads) for dim, heads in product(range(8, 41, 8), (2, 3, 16)) if dim % heads == 0}
    assert {(one.params["dim"], one.params["heads"]) for one in found} == wanted
    assert len(found) == len(wanted) == space.size


def test_a_budget_decides_the_depth_that_comes_closest() -> None:
    """Seed 001's case: so many parameters, and as many layers as they allow at each width."""
    spec = study_file(
        command=None, trainer="lm", sampler={"kind": "grid"},
        space={"dim": [512, 768, 1024], "layers": {"type": "int", "low": 1, "high": 96}},
        budget={"parameters": "200M", "count": "12 * layers * dim ** 2", "tolerance": "5%", "by": "layers"},
    )  # fmt: skip
    found = {one.params["dim"]: one for one in Sequence(Space(spec)).next_points((), 10)}
    assert {dim: one.params["layers"] for dim, one in found.items()} == {512: 64, 768: 28, 1024: 16}
    assert found[768].derived["parameters"] == 12 * 28 * 768**2


def test_the_depth_is_the_closest_that_the_constraints_leave() -> None:
    """28 layers would be closest; only multiples of 8 are allowed."""
    spec = study_file(
        command=None, trainer="lm", constraints=["layers % 8 == 0"], sampler={"kind": "grid"},
        space={"dim": [768], "layers": {"type": "int", "low": 1, "high": 96}},
        budget={"parameters": "200M", "count": "12 * layers * dim ** 2", "tolerance": "20%", "by": "layers"},
    )  # fmt: skip
    assert [one.params["layers"] for one in Sequence(Space(spec)).next_points((), 10)] == [32]


@pytest.mark.parametrize("kind", ["grid", "random", "sobol"])
def test_the_points_do_not_depend_on_how_they_were_asked_for(kind: str) -> None:
    """One by one, many at once, or by another process that begins in the middle: the same set in the same order."""
    space = {"lr": {"type": "float", "low": 1e-4, "high": 0.1, "step": 1e-3}, "dim": [8, 16, 32]}
    spec = study_file(space=space, sampler={"kind": kind, "seed": 5})
    at_once = [fingerprint(one.params) for one in Sequence(Space(spec)).next_points((), 20)]
    one_by_one: list[str] = []
    for _ in range(20):
        (point,) = Sequence(Space(spec)).next_points(one_by_one, 1)  # a process of its own each time
        one_by_one.append(fingerprint(point.params))
    assert one_by_one == at_once and len(set(at_once)) == 20


@pytest.mark.parametrize("kind", ["random", "sobol"])
def test_a_small_space_is_gone_through_to_its_end(kind: str) -> None:
    """Also what a random sequence would hardly ever meet."""
    spec = study_file(space={"lr": [0.1, 0.2], "dim": {"type": "int", "low": 1, "high": 15, "log": True}},
                      sampler={"kind": kind})  # fmt: skip
    sequence, tried = Sequence(Space(spec)), set[str]()
    while points := sequence.next_points(tried, 7):
        tried |= {fingerprint(one.params) for one in points}
    assert len(tried) == 30


def test_sobol_is_the_published_sequence() -> None:
    """The same numbers as scipy 1.17's `qmc.Sobol`, in all dimensions; a seed moves all points alike, within the cube."""
    ours = b"".join(struct.pack(f"<{MOST_DIMENSIONS}d", *sobol(index, MOST_DIMENSIONS)) for index in range(128))
    assert hashlib.sha256(ours).hexdigest() == THEIRS
    shifted = [sobol(index, 2, seed=9) for index in range(64)]
    assert len({(int(x * 8), int(y * 8)) for x, y in shifted}) == 64, "one point in each of 64 squares"


def test_a_space_without_a_feasible_point_is_refused() -> None:
    """Before anything is begun, and with what to do."""
    with pytest.raises(NeatError, match="no point of the space meets its constraints"):
        Space(study_file(constraints=["dim > 100"]))


def test_more_combinations_than_can_be_enumerated_are_refused() -> None:
    """What constraints speak of has to be enumerated: a number that needs a step is named."""
    space = {name: {"type": "int", "low": 1, "high": 1000} for name in ("lr", "dim")}
    with pytest.raises(NeatError, match="more than 20,000 combinations of lr, dim"):
        Space(study_file(space=space, constraints=["lr > 0 and dim > 0"]))


@pytest.mark.parametrize(
    ("one", "values"),
    [
        ({"type": "int", "low": 2, "high": 9, "step": 3}, [2, 5, 8]),
        ({"type": "float", "low": 0.1, "high": 0.5, "step": 0.1}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ({"type": "float", "low": 0.5, "high": 0.5}, [0.5]),
        (["a", True, 3], ["a", True, 3]),
    ],
)
def test_a_parameter_has_these_values(one: Any, values: list[Any]) -> None:
    """In their order, the last one included, and found again from what a person types."""
    parameter = Parameter.model_validate(one)
    assert [parameter.value(index) for index in range(parameter.count or 0)] == values
    assert {parameter.at(share / 50) for share in range(50)} == set(values)
    assert [parameter.typed(str(value)) for value in values] == values
