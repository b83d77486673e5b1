"""Fixtures that several files of tests share; conftest makes them known to all."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from neatd.store.opening import connect

if TYPE_CHECKING:
    from tests.fault_place import Place

Start = Callable[..., subprocess.Popen[str]]
WAIT = "import sys; print('ready', flush=True); sys.stdin.read()"


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """points.db of a home of its own, for all tests of a file."""
    connection = connect(tmp_path_factory.mktemp("home"), "points")
    connection.execute("PRAGMA synchronous = OFF")
    yield connection
    connection.close()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python program that says when it is ready and waits; it is ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, *arguments: object, cwd: Path = Path("/")) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd)
        started.append(process)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def module_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A project for all tests of a file that need no store of their own."""
    from tests.fault_place import place_in

    with place_in(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture
def place(module_place: Place) -> Place:
    """That project, with a daemon."""
    module_place.up()
    return module_place
