"""The experiment table as CSV, printed and kept current in the project."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from neatd.config import load_project
from neatd.errors import NeatError
from neatd.models import Project
from neatd.pipeline.tablefile import HEADINGS, table_csv, write_table
from neatd.place import here
from tests.cli_place import Cli
from tests.facts_made import run


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def keep_at(cli: Cli, path: str) -> None:
    config = cli.root / "neat.yaml"
    lines = [line for line in config.read_text().splitlines() if not line.startswith("table_csv")]
    config.write_text("\n".join([*lines, f"table_csv: {path}"]) + "\n")


@contextmanager
def refused(words: str) -> Iterator[None]:
    with pytest.raises(NeatError, match=words) as caught:
        yield
    assert caught.value.hint


def write(cli: Cli) -> Path | None:
    with cli.store() as store, cli.store("points") as numbers:
        project = Project(id=here().project_id, name="p", root=str(cli.root))
        return write_table(store, numbers, project, load_project(cli.root))


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_every_column_and_reads_back() -> None:
    """Numbers exactly, nothing as nothing, text with commas, quotes and newlines as it was."""
    fields: dict[str, Any] = {
        "value": 0.1 + 0.2, "delta": -1e-09, "params": 12_700_000, "is_comparable": True, "metric": "val/loss",
        "changed": ('a "quoted", word', "two\nlines"), "name": "Größe",
    }  # fmt: skip
    text = table_csv([run(1, **fields), run(2)])
    first, second = cells(text)
    assert tuple(first) == HEADINGS and text.count("\r\n") == 3
    assert float(first["value"]) == 0.1 + 0.2 and float(first["delta"]) == -1e-09 and first["params"] == "12700000"
    assert first["changed"] == 'a "quoted", word; two\nlines' and first["experiment"] == "Größe"
    assert first["is_comparable"] == "true" and second["value"] == second["is_comparable"] == second["delta"] == ""


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1"])
def test_text_is_never_a_formula(text: str) -> None:
    """A run's name, a note or a parameter comes from anywhere; a number below nought stays a number."""
    (found,) = cells(table_csv([run(1, name=text, notes=(text,), delta=-2.5)]))
    assert found["experiment"] == f"'{text}" and found["notes"] == f"'{text}" and found["delta"] == "-2.5"


def test_the_table_is_kept_current_and_written_only_when_it_differs(cli: Cli) -> None:
    """Made with its folder; the same runs write nothing, another run writes again."""
    keep_at(cli, "docs/results.csv")
    cli.add_run("runs/a", {"val/loss": [2.0]})
    path = cli.root / "docs" / "results.csv"
    assert write(cli) == path
    before = path.stat().st_mtime_ns
    assert write(cli) is None and path.stat().st_mtime_ns == before
    cli.add_run("runs/b", {"val/loss": [1.0]})
    assert write(cli) == path
    assert [row["experiment"] for row in cells(path.read_bytes().decode())] == ["runs/b", "runs/a"]


def test_without_a_path_nothing_is_written(cli: Cli) -> None:
    """It is kept for those who ask for it."""
    assert write(cli) is None


def test_a_table_of_the_users_is_not_overwritten(cli: Cli) -> None:
    """What neat did not write stays as it is, byte for byte."""
    keep_at(cli, "results.csv")
    path = cli.root / "results.csv"
    path.write_text("experiment,dice\nmine,0.2\n")
    with refused("not a table that neat wrote"):
        write(cli)
    assert path.read_text() == "experiment,dice\nmine,0.2\n"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission there")
def test_the_path_stays_inside_the_project(cli: Cli, tmp_path: Path) -> None:
    """Not by dots, not outright, not by a link, not into git's folder; a folder is no file."""
    (cli.root / "linked").symlink_to(tmp_path)
    (cli.root / "folder.csv").mkdir()
    for path in ("../out.csv", f"{tmp_path}/out.csv", "linked/out.csv"):
        keep_at(cli, path)
        with refused("leads out"):
            write(cli)
    keep_at(cli, ".git/config")
    with refused("git's own folder"):
        write(cli)
    keep_at(cli, "folder.csv")
    with refused("cannot be written"):
        write(cli)
    keep_at(cli, "conftest.py")
    with refused("is no table by its ending"):
        write(cli)
    assert not (tmp_path / "out.csv").exists()


def test_the_printed_csv_is_the_same_table(cli: Cli) -> None:
    """With plain newlines, for a pipe."""
    keep_at(cli, "t.csv")
    cli.add_run("runs/a", {"val/loss": [2.0]})
    write(cli)
    assert cli.ok("table", "--csv") == (cli.root / "t.csv").read_text()
