"""Three clones, any operations in any order: after a day of pulls they have the same records, histories and files."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neatd.store import records
from neatd.store.search import search
from tests.store_rows import PROJECT
from tests.sync_made import Clone, exchange, stores_agree

CLONES, RECORDS = st.integers(0, 2), st.integers(0, 3)
KINDS = ("note", "decision", "task", "insight")
OPERATIONS = st.one_of(
    st.tuples(st.just("add"), CLONES, st.integers(0, 3)),
    st.tuples(st.just("edit"), CLONES, RECORDS, st.sampled_from(["x", "y", "z"])),
    st.tuples(st.just("edit"), CLONES, RECORDS, st.sampled_from(["x", "y", "z"])),
    st.tuples(st.just("retag"), CLONES, RECORDS, st.lists(st.sampled_from("ab"), max_size=2)),
    st.tuples(st.just("delete"), CLONES, RECORDS),
    st.tuples(st.just("restore"), CLONES, RECORDS),
    st.tuples(st.just("link"), CLONES, RECORDS, st.sampled_from(["created_at", "removed_at"])),
    st.tuples(st.just("sync"), CLONES),
    st.tuples(st.just("pull"), CLONES, CLONES),
    st.tuples(st.just("conflict"), CLONES, CLONES),
    st.tuples(st.just("checkout"), CLONES, CLONES),
)


START: tuple[tuple[Any, ...], ...] = (
    ("add", 0, 0), ("add", 0, 1), ("sync", 0), ("checkout", 1, 0), ("sync", 1), ("checkout", 2, 0), ("sync", 2),
)  # fmt: skip


class Team:
    """Three clones that have two records in common, and the ids of all they made, in order."""

    def __init__(self, base: Path) -> None:
        self.clones = [Clone(base / name) for name in "abc"]
        self.ids: list[str] = []
        for operation in START:
            self.do(*operation)

    def do(self, what: str, clone: int, *words: Any) -> None:
        one = self.clones[clone]
        if what == "add":
            self.ids.append(one.add(KINDS[words[0]], f"made {len(self.ids)}", who=f"clone {clone}"))
        elif what == "sync":
            one.sync()
        elif what == "pull":
            one.pull(self.clones[words[0]])
        elif what == "conflict":
            one.pull_with_markers(self.clones[words[0]])
        elif what == "checkout":  # another branch, maybe an old one
            one.path.parent.mkdir(exist_ok=True)
            one.path.write_text(self.clones[words[0]].text(), encoding="utf-8")
        else:
            self._change(one, what, *words)

    def _change(self, one: Clone, what: str, number: int, *words: Any) -> None:
        known = [record_id for record_id in self.ids if record_id in one.ids() | one.ids(True)]
        if not known:
            return
        record_id = known[number % len(known)]
        if what == "edit":
            one.edit(record_id, who="bo", title=words[0])
        elif what == "retag":
            one.edit(record_id, tags=words[0])
        elif what == "link":
            one.link(record_id, "proves", "r-" + "0" * 16, words[0])
        else:
            getattr(one, what)(record_id)


NUMBERS = itertools.count()


DAYS = st.lists(OPERATIONS, min_size=3, max_size=25)
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=SLOW)  # tests/bench/test_soaks.py has many more
@given(operations=DAYS)
def test_clones_agree_after_a_day_of_pulls(tmp_path: Path, operations: list[tuple[Any, ...]]) -> None:
    """Files to the byte, records, histories, links; every title ever given is still told by every clone."""
    pull_for_a_day(tmp_path, operations)


def pull_for_a_day(tmp_path: Path, operations: list[tuple[Any, ...]]) -> None:
    """The operations, then an exchange of everybody with everybody; all clones have to agree."""
    team = Team(tmp_path / str(next(NUMBERS)))
    for operation in operations:
        team.do(*operation)
    exchange(*team.clones)
    assert stores_agree(*team.clones)
    for one in team.clones:
        assert one.ids() | one.ids(True) == set(team.ids)
        for outcome in (one.sync(), one.sync()):
            assert not outcome.is_written and not outcome.added and not outcome.changed and not outcome.refused
    for record_id in team.clones[0].ids():
        told = [titles(one, record_id) for one in team.clones]
        assert told[0] == told[1] == told[2]
        assert f"made {team.ids.index(record_id)}" in told[0]


def titles(one: Clone, record_id: str) -> set[str]:
    """Every title that a record has or had, as this clone tells it."""
    past = [pair for _, _, field, *pair in one.history(record_id) if field == "title"]
    return {one.title(record_id), *itertools.chain(*past)}


def test_the_search_finds_what_came_by_a_file(tmp_path: Path) -> None:
    """The index is kept for rows that a sync writes, and forgets what they said before."""
    one, two = Clone(tmp_path / "a"), Clone(tmp_path / "b")
    made = one.add("note", "first words")
    exchange(one, two)
    one.edit(made, title="second words")
    exchange(one, two)
    assert [hit.id for hit in search(two.store, "second", PROJECT)] == [made] and search(
        two.store, "first", PROJECT
    ) == []
    assert records.get(two.store, "note", made).worktree == ""
