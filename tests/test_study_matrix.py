"""Several studies as rows and columns."""

from __future__ import annotations

import pytest

from neatd.errors import NeatError
from neatd.studies.analysis import Analysis, analyse
from neatd.studies.importances import Importances
from neatd.studies.matrix import Matrix, matrix, natural
from tests.studies_tried import searched, tried


def looked(name: str, best: float, goal: str = "min", **spec: object) -> Analysis:
    made = searched(
        tried(0, best, lr=1), tried(1, None, "failed", lr=2, diverged="nan"), name=name, goal=goal, spec=spec
    )
    return analyse(made, Importances("ped-anova", {}))


def of(*names: str, rows: str = "", columns: str = "") -> Matrix:
    return matrix([looked(name, n / 10) for n, name in enumerate(names)], rows, columns)


def test_budgets_and_horizons_come_in_their_order() -> None:
    """As people write sizes, not as letters sort."""
    assert sorted(["2B", "20M", "h10", "200M", "h3", "2M", "0.5B"], key=natural) == [
        "2M",
        "20M",
        "200M",
        "0.5B",
        "2B",
        "h3",
        "h10",
    ]


@pytest.mark.parametrize(
    ("names", "rows", "columns", "told"),
    [
        (("a-1", "a-2"), "", "", ("2", "")), (("2M_h1", "2M_h3", "2B_h1"), "", "", ("1", "2")),
        (("2M_h1", "2B_h3"), "2", "", ("2", "1")), (("2M_h1", "2B_h3"), "", "1", ("2", "1")),
        (("a", "b_c"), "name", "", ("name", "")), (("2M_h1", "2B_h3"), "name", "metric", ("name", "metric")),
    ],
)  # fmt: skip
def test_axes_that_are_not_named_are_the_parts_that_differ(
    names: tuple[str, ...], rows: str, columns: str, told: tuple[str, str]
) -> None:
    """The first for the rows; without a second one there is one column."""
    found = matrix([looked(name, 0.1, metric="x") for name in names], rows, columns)
    assert (found.rows_by, found.columns_by) == told


@pytest.mark.parametrize(
    ("names", "rows", "told"),
    [(("a", "b_c"), "", "different numbers of parts"), (("a_1_x", "b_2_y"), "", "differ in 3 parts"),
     (("a", "a"), "", "differ in 0 parts"), (("a_1", "b_2"), "7", "has 2 parts in its name, not 7")],
)  # fmt: skip
def test_what_makes_no_two_axes_is_refused(names: tuple[str, ...], rows: str, told: str) -> None:
    """With how to name them."""
    with pytest.raises(NeatError, match=told) as error:
        of(*names, rows=rows)
    assert "--rows 1 --columns 2" in error.value.hint


def test_studies_of_one_cell_are_one_the_better_first() -> None:
    """Their trials are counted together."""
    found = matrix(
        [looked("a", 0.4, m="x", h=3), looked("b", 0.2, m="x", h=3), looked("c", 0.3, m="y", h=200_000_000)], "m", "h"
    )
    assert found.columns == ("3", "200M") and [one.studies for one in found.cells] == [("b", "a"), ("c",)]
    assert (found.cells[0].best, found.cells[0].counted, found.cells[0].trials, found.cells[0].diverged) == (
        0.2,
        2,
        4,
        2,
    )


def test_goals_that_differ_are_said() -> None:
    """Values of different metrics are not to be compared."""
    assert matrix([looked("a_1", 0.1), looked("a_2", 0.2, "max")]).notes == (
        "the goals differ (max loss, min loss): their values are not comparable",
    )
