"""Optuna, asked and told: its journal says what the store says, whatever happened to it, and proposals are feasible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from neatd.studies.answering import Answerer
from neatd.studies.journal import mend
from neatd.studies.optimizer import NUMBER, Optimizer
from neatd.studies.space import Space, fingerprint
from neatd.studies.told import Told
from tests.studies_made import study_file

SPEC = study_file(
    command=None, trainer="lm", sampler={"kind": "tpe", "seed": 1, "startup": 4},
    space={
        "lr": {"type": "float", "low": 1e-4, "high": 1e-1, "log": True},
        "dim": {"type": "int", "low": 16, "high": 64, "step": 16}, "heads": [2, 4, 8],
        "layers": {"type": "int", "low": 1, "high": 8},
    },
    constraints=["dim % heads == 0", "dim / heads >= 8"],
    budget={"parameters": "100K", "count": "12 * layers * dim * dim", "tolerance": "25%", "by": "layers"},
)  # fmt: skip
STATES = {"open": "RUNNING", "complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}


def value(params: dict[str, Any]) -> float:
    return abs(params["lr"] - 0.01) + params["dim"] / 1000


def search(optimizer: Optimizer, count: int, two_open: bool = True) -> list[Told]:
    """So many trials, one after the other; the last ones are still open."""
    rows: list[Told] = []
    for number in range(1, count + 1):
        optimizer.level(rows)
        point = optimizer.ask({fingerprint(one.params) for one in rows})
        assert point is not None
        rows = [
            one._replace(state="complete", value=value(one.params)) if number - one.number > two_open else one
            for one in rows
        ]
        rows.append(Told(number, point.params, point.derived, "open"))
    return rows


def told(optimizer: Optimizer) -> dict[int, tuple[str, float | None]]:
    """Our number -> (state, value) as Optuna has it; each trial of ours once."""
    every = [one for one in optimizer.study.trials if NUMBER in one.user_attrs]
    found = {one.user_attrs[NUMBER]: (one.state.name, one.value) for one in every}
    assert len(found) == len(every)
    return found


def wanted(rows: list[Told]) -> dict[int, tuple[str, float | None]]:
    return {one.number: (STATES[one.state], one.value) for one in rows}


def test_what_tpe_proposes_is_feasible_and_new(tmp_path: Path) -> None:
    """25 points of a budget: none infeasible, none twice, and those after the random ones are better."""
    space = Space(SPEC)
    rows = search(Optimizer(space, tmp_path / "j"), 25)
    for one in rows:
        assert space.complete(one.params) == (one.params, one.derived), one
    assert len({fingerprint(one.params) for one in rows}) == 25
    found = [value(one.params) for one in rows]
    assert sum(found[-8:]) / 8 < sum(found[:4]) / 4


def test_the_journal_is_made_again_from_the_store(tmp_path: Path) -> None:
    """Cut in the middle of its last line, filled with rubbish, or gone: it says what the store says."""
    space, path = Space(SPEC), tmp_path / "j"
    rows = search(Optimizer(space, path), 8)
    Optimizer(space, path).level(rows)
    whole = path.read_bytes()

    path.write_bytes(whole[:-20])
    again = Optimizer(space, path)
    again.level(rows)
    assert told(again) == wanted(rows)
    assert path.with_name("j.bak").read_bytes() == whole[:-20], "what was cut is kept"

    path.write_bytes(whole[:300] + b"rubbish\n" + whole[300:])
    again = Optimizer(space, path)
    again.level(rows)
    assert told(again) == wanted(rows) and path.with_name("j.broken").exists()

    path.unlink()
    again = Optimizer(space, path)
    again.level(rows)
    assert told(again) == wanted(rows) and len(again.study.trials) == len(rows)


def test_a_torn_line_is_cut_before_anything_is_appended(tmp_path: Path) -> None:
    """Without it the next line is glued on, and every later open fails: Optuna's own way shown first."""
    path = tmp_path / "j"
    search(Optimizer(Space(SPEC), path), 2)
    path.write_bytes(path.read_bytes()[:-20])
    torn = path.read_bytes()
    storage = optuna.storages.journal.JournalFileBackend(str(path))
    for _ in range(2):
        storage.append_logs([{"op_code": 0}])
    with pytest.raises(ValueError):
        list(storage.read_logs(0))
    path.write_bytes(torn)
    mend(path)
    assert path.read_bytes() == torn[: torn.rfind(b"\n") + 1]
    mend(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_point_that_was_asked_and_never_begun_has_failed(tmp_path: Path) -> None:
    """The daemon was killed between the answer and its row: no trial of Optuna's runs for ever."""
    space, path = Space(SPEC), tmp_path / "j"
    optimizer = Optimizer(space, path)
    assert optimizer.ask(set()) is not None
    again = Optimizer(space, path)
    again.level([])
    assert [one.state.name for one in again.study.trials] == ["FAIL"]


def test_the_pruner_tells_a_hopeless_trial_by_the_others(tmp_path: Path) -> None:
    """Median: worse at step 2 than half of those before it; a journal that was lost is told the others' values again."""
    spec = SPEC.model_copy(
        update={"pruner": SPEC.pruner.model_copy(update={"kind": "median", "startup": 2, "warmup": 2})}
    )
    rows = [
        Told(number, one.params, one.derived, "complete", 1.0, ((1, 1.0), (2, 1.0)))
        for number, one in enumerate(search(Optimizer(Space(SPEC), None), 3), 1)
    ]
    answerer = Answerer(spec, tmp_path / "j")
    one = search(Optimizer(Space(SPEC), None), 5)[-1]
    bad = one._replace(number=9, reports=((1, 5.0), (2, 5.0), (3, 5.0)))
    assert answerer.answer([*rows, bad], 0)["pruned"] == {9: 2}
    good = one._replace(number=10, reports=((1, 0.5), (2, 0.5)))
    assert answerer.answer([*rows, bad._replace(state="pruned", value=5.0), good], 0)["pruned"] == {}
    assert sorted(Answerer(spec, tmp_path / "j").known) == [1, 2, 3, 9]


def test_a_small_space_ends(tmp_path: Path) -> None:
    """Six points and no more: none twice, then it says so."""
    spec = study_file(space={"lr": [0.1, 0.2], "dim": [1, 2, 3]}, sampler={"kind": "tpe", "startup": 2})
    rows = search(Optimizer(Space(spec), tmp_path / "j"), 6)
    answer = Answerer(spec, tmp_path / "j").answer([one._replace(state="failed") for one in rows], 2)
    assert answer["points"] == [] and answer["is_exhausted"]
