"""How long 20,000 records take out of a store and into an empty one: aims are 1 s and 3 s."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from neatd.store.connection import transaction
from neatd.store.short import insert_record, record_row, set_field
from neatd.store.sync import copy_knowledge, sync
from tests.store_rows import PROJECT, open_store, place

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]
RECORDS = 20_000
KINDS = ("note", "decision", "bug", "task", "insight", "experiment")
WORDS = [
    "loss",
    "dice",
    "patch",
    "batch",
    "memory",
    "epoch",
    "rate",
    "warmup",
    "loader",
    "augment",
    "crop",
    "baseline",
    "fails",
]


def fill(home: Path) -> None:
    """Records of some sixty words, every third of them changed once."""
    rng, store = random.Random(1), open_store(home)
    with transaction(store):
        for number in range(RECORDS):
            kind = KINDS[number % len(KINDS)]
            fields = {
                "title": " ".join(rng.choices(WORDS, k=10)),
                "body": " ".join(rng.choices(WORDS, k=50)),
                "tags": ["a"],
            }
            row = record_row(kind, place(home), fields, "person")
            insert_record(store, kind, row)
            if number % 3 == 0:
                set_field(store, kind, row["id"], "status", "done", "person")
    store.close()


def measured(what: str, act: Callable[[], Any]) -> Any:
    begun, cpu = time.perf_counter(), time.process_time()
    result = act()
    print(f"{what}: {time.perf_counter() - begun:.2f} s, {time.process_time() - cpu:.2f} s of a core")
    return result


def test_twenty_thousand_records_out_and_in(tmp_path: Path) -> None:
    """Into a new file, again with nothing to do, the copy at home, and into the empty store of a fresh clone."""
    root, now = tmp_path / "project", datetime.now(UTC)
    root.mkdir()
    fill(tmp_path / "home")
    store, empty = open_store(tmp_path / "home"), open_store(tmp_path / "fresh")
    print()
    out = measured("sync into a new file", lambda: sync(store, root, PROJECT, now))
    measured("sync with nothing to do", lambda: sync(store, root, PROJECT, now))
    measured("the copy at home", lambda: copy_knowledge(store, tmp_path / "home", PROJECT))
    into = measured("sync into an empty store", lambda: sync(empty, root, PROJECT, now))
    assert out.sent == len(into.added) == RECORDS and not into.is_written
    print(f"{RECORDS} records, {out.path.stat().st_size / RECORDS:.0f} bytes a line")
    store.close()
    empty.close()
