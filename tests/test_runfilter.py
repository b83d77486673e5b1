"""The filter of runs, asked of a real store: the same for `neat runs FILTER`, an assistant's list and the page."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.errors import NeatError
from neatd.store import runs
from neatd.store.runfilter import NOTES, condition
from neatd.store.runpage import run_page
from tests.store_rows import PROJECT, add_run, open_store

RUNS = {
    "runs/base": ("finished", {"lr": 1e-3, "optim": "adam", "model": {"dim": 64}, "amp": True}),
    "runs/wide": ("running", {"lr": 0.01, "optim": "sgd", "model": {"dim": 256}}),
    "runs/lr=0.1": ("failed", {"lr": "1e-1", "optim": "adamw", "data.name": "wiki"}),
    "runs/two words": ("failed", {}),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """Four runs, and a note of one of them. Tests only read it."""
    db = open_store(tmp_path_factory.mktemp("filter"))
    for name, (status, config) in RUNS.items():
        run = add_run(db, name)
        runs.set_run(db, run.id, status=status, config=config)
        if name == "runs/wide":
            db.execute(
                "INSERT INTO note (id, project_id, title, body, tags, evidence, created_at, updated_at)"
                " VALUES ('n-1', ?, 'the wide one overfits', '', '[\"keep\"]', ?, '', '')",
                (PROJECT, json.dumps([{"run": run.id}])),
            )
        if name == "runs/base":
            db.execute(
                "INSERT INTO decision (id, project_id, title, why, alternative, evidence, created_at, updated_at)"
                " VALUES ('d-1', ?, 'keep adam', 'it is stable', '[\"a cosine schedule\"]', ?, '', '')",
                (PROJECT, json.dumps([{"run": run.id}])),
            )
    yield db
    db.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "base wide lr=0.1 words"), ("runs/w", "wide"), ("failed", "lr=0.1 words"), ("-failed", "base wide"),
        ("failed -two", "lr=0.1"), ("lr=0.1", "lr=0.1"), ('"two words"', "words"), ("base OR wide", "base wide"),
        ("status:fail", ""), ("status:failed name:two", "words"), ("cfg.lr>=1e-2", "wide lr=0.1"),
        ("cfg.lr=0.001", "base"), ("cfg.lr!=0.001", "wide lr=0.1"), ("cfg.optim=adam", "base"),
        ("cfg.optim:adam", "base lr=0.1"), ("-cfg.optim:adam", "wide words"), ("cfg.model.dim>64", "wide"),
        ("cfg.data.name=wiki", "lr=0.1"), ("cfg.amp=true", "base"), ("note:overfits", "wide"), ("note:stable", "base"),
        ("note:cosine", "base"), ("tag:keep", "wide"),
        ("-tag:keep", "base lr=0.1 words"), ("other:thing", ""),
    ],
)  # fmt: skip
def test_a_filter_finds_what_it_says(store: sqlite3.Connection, text: str, expected: str) -> None:
    """Words, alternatives, fields, parameters, and what records say of a run."""
    found_runs = runs.matching_runs(store, PROJECT, text)
    found = {one.name.removeprefix("runs/").removeprefix("two ") for one in found_runs}
    assert found == set(expected.split())
    assert {one.name for one in run_page(store, None, text)[0]} == {one.name for one in found_runs}


def test_pages_are_the_whole_list_in_order(store: sqlite3.Connection) -> None:
    """Each run stands on one page, and each page says how many there are."""
    whole = [one.name for one in run_page(store, PROJECT, "", "name")[0]]
    pages = [run_page(store, PROJECT, "", "name", 3, offset) for offset in (0, 3)]
    assert [one.name for found, _ in pages for one in found] == whole == sorted(RUNS)
    assert {total for _, total in pages} == {len(RUNS)}


@pytest.mark.parametrize("text", ["cfg.lr", "cfg.lr>=", "-cfg.:"])
def test_a_parameter_without_a_comparison_is_a_mistake(text: str) -> None:
    """It is said what to write."""
    with pytest.raises(NeatError, match="compares nothing") as caught:
        condition(text)
    assert "cfg.lr>=1e-3" in caught.value.hint


@given(st.text(st.sampled_from("ab -\":=<>!.cfgORnotetag%_'\\$[]"), max_size=40))
@settings(max_examples=150, deadline=None, database=None)
def test_no_filter_is_an_error_of_sql(text: str) -> None:
    """Whatever is typed is an answer, or a mistake that is named."""
    base = sqlite3.connect(":memory:")
    base.executescript(_TABLES)
    try:
        asked = condition(text)
    except NeatError:
        return
    base.execute(f"SELECT id FROM run WHERE {asked.sql}", asked.values).fetchall()
    base.close()


_TABLES = (
    "CREATE TABLE run (id, name, status, reason, config); INSERT INTO run VALUES ('r', 'a', 'b', '', '{\"a\": 1}');"
)
_TABLES += "".join(f"CREATE TABLE {kind} (title, body, tags, evidence, deleted_at, restored_at);" for kind in NOTES)
