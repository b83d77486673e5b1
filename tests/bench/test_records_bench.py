"""The store of records under load: fifty processes that write at once, and searches among twenty thousand records."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from neatd.place import here
from neatd.store import records, short
from neatd.store.connection import transaction
from neatd.store.opening import connect

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]
NEAT = Path(sys.executable).with_name("neat")
WRITERS, NOTES, RECORDS, REPEATS = 50, 100, 20_000, 15
_WRITER = """
import sys
from pathlib import Path
from neatd.place import Place
from neatd.store import short
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    home = Path(sys.argv[1])
    short.add_record(home, Place(home, "p", "n", "", ""), "note", {"title": "the same words"}, "person")
"""


def test_fifty_processes_lose_no_note(tmp_path: Path) -> None:
    """Each adds a hundred notes at the same time: five thousand different records."""
    connect(tmp_path).close()
    children = [
        subprocess.Popen([sys.executable, "-c", _WRITER, tmp_path, str(NOTES)], stdin=subprocess.PIPE, text=True)
        for _ in range(WRITERS)
    ]
    begun = time.monotonic()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.close()
    assert [child.wait() for child in children] == [0] * WRITERS
    took = time.monotonic() - begun
    with closing(connect(tmp_path)) as connection:
        found = records.list_records(connection, "note", "p")
    assert len({one.id for one in found}) == len(found) == WRITERS * NOTES
    print(f"\n{WRITERS} processes x {NOTES} notes: all there after {took:.1f} s, {len(found) / took:.0f} a second")


WORDS = [f"{a}{b}{c}" for a in ("gra", "los", "mod", "ten", "opt", "che", "lay") for b in ("di", "a", "so", "pli")
         for c in ("ent", "ing", "er", "s", "ation", "um", "ic", "ed")]  # fmt: skip


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A project whose store holds 20,000 records of six kinds."""
    base = tmp_path_factory.mktemp("full")
    project = base / "project"
    project.mkdir()
    env = os.environ | {"NEAT_HOME": str(base / "home")}
    subprocess.run([NEAT, "init", "--yes"], cwd=project, env=env, check=True, capture_output=True)
    rng, place = random.Random(1), here(project)
    kinds = ("note", "decision", "insight", "bug", "task", "hypothesis")
    with closing(connect(base / "home")) as connection, transaction(connection):
        for number in range(RECORDS):
            text = " ".join(rng.choices(WORDS, k=12))
            fields = {
                "title": f"{text} common {number}",
                "body": " ".join(rng.choices(WORDS, k=40)),
                "tags": ("a", "b"),
            }
            kind = kinds[number % len(kinds)]
            short.insert_record(connection, kind, short.record_row(kind, place, fields, "person"))
    return project, env


@pytest.mark.parametrize(
    "words",
    [["gradient"], ["grad"], ["g"], ["common"], ["gradient", "losing", "mod"],
     ['"gradient losing"'], ["grad", "kind:decision", "tag:a"],
     ["status:open", "since:1d"]],
    ids=" ".join,
)  # fmt: skip
def test_a_search_among_twenty_thousand(full: tuple[Path, dict[str, str]], words: list[str]) -> None:
    """A whole process under 2.5 times `python -c "import click"`, by medians."""
    project, env = full

    def seconds(*command: str | Path) -> float:
        begun = time.perf_counter()
        subprocess.run(command, cwd=project, env=env, check=True, capture_output=True)
        return time.perf_counter() - begun

    seconds(NEAT, "search", *words)
    taken: dict[str, list[float]] = {"click": [], "neat": []}
    for _ in range(REPEATS):
        taken["click"].append(seconds(sys.executable, "-c", "import click"))
        taken["neat"].append(seconds(NEAT, "search", *words))
    click, neat = statistics.median(taken["click"]), statistics.median(taken["neat"])
    print(f"\nneat search {' '.join(words)}: {neat * 1000:.0f} ms, click {click * 1000:.0f} ms: {neat / click:.2f}")
    assert neat / click < 2.5
