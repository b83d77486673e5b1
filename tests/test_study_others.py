"""Studies that others made: Optuna's database and journal, and JSON that somebody's own program wrote."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from neatd.errors import NeatError
from neatd.pipeline.studied import Loaded, of_file
from neatd.studies.importances import importances
from neatd.studies.tried import Tried
from tests.databases_made import OPTUNA_SQL, run_sql
from tests.studies_tried import optunas, put_in
from tests.written_files import COMMITTED

if TYPE_CHECKING:
    import optuna


@pytest.fixture(scope="module")
def study() -> optuna.Study:
    return optunas()


@pytest.fixture(scope="module")
def folder(study: optuna.Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same study in a database and in a journal."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    made = tmp_path_factory.mktemp("optuna")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        storage = RDBStorage(f"sqlite:///{made / 'study.db'}")
        put_in(study, storage)
        storage.remove_session()
        storage.engine.dispose()
        put_in(study, JournalStorage(JournalFileBackend(str(made / "study.log"))))
    return made


def one(path: Path, **more: Any) -> Loaded:
    (found,) = of_file(path, **more)
    return found


def put(folder: Path, data: Any, name: str = "lm_all_trials.json") -> Path:
    (folder / name).write_text(json.dumps(data))
    return folder / name


@pytest.mark.parametrize("name", ["study.db", "study.log"])
def test_every_trial_is_as_optuna_says(study: optuna.Study, folder: Path, name: str) -> None:
    """Number, state, value, parameters of any type, attributes, times and values on the way; against Optuna's own records."""
    loaded = one(folder / name)
    assert (loaded.searched.name, loaded.searched.goal, len(loaded.searched.trials)) == ("200M_h3", "min", 40)
    states = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
    for theirs, ours in zip(study.trials, loaded.searched.trials, strict=True):
        assert (ours.number, ours.status) == (theirs.number, states[theirs.state.name])
        assert (dict(ours.params), dict(ours.derived)) == (theirs.params, theirs.user_attrs)
        assert ours.value == theirs.value
        told = theirs.intermediate_values.items()
        assert repr(loaded.curve(ours, "")) == repr([(step, float(value)) for step, value in told])
        assert ours.seconds == pytest.approx(theirs.duration and theirs.duration.total_seconds(), abs=1e-5)
        assert theirs.datetime_start is not None and ours.started_at is not None
        assert abs(ours.started_at.timestamp() - theirs.datetime_start.timestamp()) < 0.001
    flagged = {trial.number: trial.diverged for trial in loaded.searched.trials if trial.diverged}
    assert flagged == {7: "its value is inf", 9: "intermediate ended at nan, step 3"}


@pytest.mark.parametrize(
    ("name", "evaluator"), [("study.db", "ped-anova"), ("study.log", "ped-anova"), ("study.db", "fanova")]
)
def test_importances_are_optunas_own(study: optuna.Study, folder: Path, name: str, evaluator: str) -> None:
    """Parameter for parameter, the conditional one too."""
    import optuna

    by = optuna.importance.FanovaImportanceEvaluator(seed=0) if evaluator == "fanova" else None
    wanted = optuna.importance.get_param_importances(study, evaluator=by)
    found = importances(one(folder / name).searched, evaluator)
    assert found.shares == pytest.approx(wanted) and found.trials == 36 and found.note == ""


def test_a_database_is_only_read(folder: Path, tmp_path: Path) -> None:
    """Not a byte of it changes, nothing is made beside it, and a folder that cannot be written is enough."""
    path = tmp_path / "old.db"
    path.write_bytes((folder / "study.db").read_bytes())
    before = path.read_bytes(), path.stat().st_mtime_ns
    tmp_path.chmod(0o555)
    try:
        assert len(one(path).searched.trials) == 40
        assert [found.name for found in tmp_path.iterdir()] == ["old.db"] and (
            path.read_bytes(),
            path.stat().st_mtime_ns,
        ) == before
    finally:
        tmp_path.chmod(0o755)


def test_a_database_of_an_old_optuna_is_read_without_migrating_it(tmp_path: Path) -> None:
    """No column for what kind a value is, distributions by their old names."""
    path = tmp_path / "old.db"
    run_sql(path, OPTUNA_SQL.read_text(encoding="utf-8"))
    connection = sqlite3.connect(path)
    old = json.dumps({"name": "LogUniformDistribution", "attributes": {"low": 1e-5, "high": 0.1}})
    with connection:
        for table, column in (("trial_values", "value_type"), ("trial_intermediate_values", "intermediate_value_type")):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("UPDATE trial_params SET distribution_json = ? WHERE param_name = 'lr'", (old,))
    connection.close()
    loaded = next(found for found in of_file(path) if found.searched.name == "lr search")
    spaces = [json.loads(found.space["lr"]) for found in loaded.searched.trials if "lr" in found.space]
    assert spaces[0] == {
        "name": "FloatDistribution",
        "attributes": {"log": True, "step": None, "low": 1e-5, "high": 0.1},
    }


@pytest.mark.parametrize("name", ["journal/journal.log", "sqlite"])
def test_studies_of_a_file_are_told_apart(name: str, tmp_path: Path) -> None:
    """All of them, or those that are named; the direction is the study's; one of two objectives says by which it goes."""
    path = COMMITTED / "optuna-5.0.0" / name
    if name == "sqlite":
        path = tmp_path / "study.db"
        run_sql(path, OPTUNA_SQL.read_text(encoding="utf-8"))
    first, second = (found.searched for found in of_file(path))
    assert (first.name, first.goal, second.name) == ("lr search", "max", "trade/off")
    assert second.notes == ("it has 2 objectives: compared by the first",) and len(second.trials[0].more["values"]) == 2
    assert one(path, names=["trade/off"]).searched.name == "trade/off"
    with pytest.raises(NeatError, match="has no study 'lrs'"):
        of_file(path, names=["lrs"])


def test_a_torn_journal_is_read_and_not_mended(folder: Path, tmp_path: Path) -> None:
    """What could not be read is said; the file stays as it is."""
    path = tmp_path / "torn.log"
    data = (folder / "study.log").read_bytes()[:-20]
    path.write_bytes(data)
    found = one(path).searched
    assert len(found.trials) in (39, 40) and found.notes == ("1 lines of the journal could not be read",)
    assert path.read_bytes() == data


FLAT = {"trials": [
    {"number": 0, "value": 0.3081, "d_model": 768, "n_layers": 24, "params": None, "val_acc": 0.9},
    {"number": 1, "value": 0.3120, "d_model": 1024, "n_layers": 12, "lr": 3e-4},
    {"number": 2, "value": 0.4},
]}  # fmt: skip


def test_flat_trials_keep_their_architecture(tmp_path: Path) -> None:
    """As somebody's own script wrote them; a trial that lost its architecture stays, and results are no parameters."""
    found = one(put(tmp_path, FLAT)).searched
    assert found.name == "lm" and found.trials[0].params == {"d_model": 768, "n_layers": 24, "params": None}
    assert found.trials[0].more == {"val_acc": 0.9} and found.trials[2].params == {}
    assert found.notes == ("the file does not say whether less is better: taken so; --goal max says otherwise",)
    assert one(put(tmp_path, {**FLAT, "direction": "maximize"})).searched.goal == "max"
    assert one(put(tmp_path, {**FLAT, "best_value": 0.4})).searched.goal == "max"
    assert one(put(tmp_path, FLAT["trials"]), goal="max").searched.goal == "max"


NESTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"value": 0.3, "params": {"lr": 1}, "user_attrs": {"n": 2}, "state": "COMPLETE"}, {"status": "finished"}),
    ({"value": 0.3, "params_lr": 1, "user_attrs_n": 2, "state": "TrialState.PRUNED"}, {"status": "pruned"}),
    ({"val_loss": 0.3, "config": {"lr": 1}, "n": 2, "status": "done"}, {"status": "finished"}),
    ({"value": None, "architecture": {"lr": 1}, "derived": {"n": 2}, "status": "diverged"},
     {"status": "failed", "value": None, "diverged": "the file says so"}),
    ({"value": 9e9, "params": {"lr": 1}, "user_attrs": {"n": 2}, "diverged": True},
     {"status": "failed", "value": 9e9, "diverged": "the file says so"}),
    ({"value": math.nan, "params": {"lr": 1}, "n": 2}, {"status": "finished", "diverged": "its value is nan"}),
    ({"values": [0.3], "params": {"lr": 1}, "n": 2, "duration": "0:01:02.5", "datetime_start": "2026-03-01 10:00:00"},
     {"seconds": 62.5}),
]  # fmt: skip


@pytest.mark.parametrize(("row", "told"), NESTED, ids=[str(n) for n in range(len(NESTED))])
def test_trials_of_other_shapes_are_read(row: dict[str, Any], told: dict[str, Any], tmp_path: Path) -> None:
    """Nested, a dataframe's records, other words for states; what diverged measures nothing."""
    (trial,) = one(put(tmp_path, [row])).searched.trials
    assert dict(trial.params) == {"lr": 1} and dict(trial.derived) == {"n": 2}
    for name, value in {"value": 0.3, "diverged": "", **told}.items():
        if not (name == "value" and trial.diverged == "its value is nan"):
            assert getattr(trial, name) == value, name


@pytest.mark.parametrize(
    "curve",
    [
        {"learning_curve": [3.0, 2.0]},
        {"curves": {"value": [[0, 3.0], [1, 2.0]]}},
        {"intermediate_values": {"0": 3, "1": 2}},
    ],
)
def test_learning_curves_are_read(curve: dict[str, Any], tmp_path: Path) -> None:
    """Values alone, pairs by metric, or Optuna's by step."""
    loaded = one(put(tmp_path, [{"value": 2.0, "lr": 1, **curve}]))
    assert loaded.curve(loaded.searched.trials[0], "") == [(0, 3.0), (1, 2.0)]


@pytest.mark.parametrize(
    ("data", "told"),
    [("[1, 2]", "no list of trials is in it"), ('{"a": 1}', "no list of trials"), ("{", "neither a database nor JSON"),
     ('[{"lr": 1}]', "no trial has a value"), ("\x80\x04pickle", "neither"), ("[" * 99_000, "neither")],
)  # fmt: skip
def test_what_is_no_study_is_refused(data: str, told: str, tmp_path: Path) -> None:
    """By a message that names the file; a pickle is never opened as one."""
    (tmp_path / "x.json").write_text(data, encoding="latin-1")
    with pytest.raises(NeatError, match=told) as error:
        of_file(tmp_path / "x.json")
    assert "x.json" in error.value.message


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    """And a pipe is not waited for."""
    run_sql(tmp_path / "other.db", "CREATE TABLE x (y);")
    with pytest.raises(NeatError, match="no database of Optuna's"):
        of_file(tmp_path / "other.db")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NeatError, match="cannot be read"):
        of_file(tmp_path / "pipe")


def test_secrets_of_others_are_not_shown(tmp_path: Path) -> None:
    """A token among the parameters of a trial is taken out when it is read."""
    row = {"value": 1.0, "params": {"api_key": "sk-1234567890abcdefghijklmnop", "lr": 1}}
    trial: Tried = one(put(tmp_path, [row])).searched.trials[0]
    assert "sk-1234567890" not in str(trial) and trial.params["lr"] == 1
