"""The one site that all tests of views look at, whichever process of tests they are in: built by the first that asks, ended
by the last. Tests read it, and add to it; what is taken away or changed needs a site of the test's own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neatd.locks import FileLock
from tests.page.site import Site, build, end

WAIT_S = 110.0


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real notebook with its daemon."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site"
    with _alone(shared.with_suffix(".lock")):
        users = shared.with_suffix(".users")
        found = Site(shared) if (shared / "home" / "neatd.json").exists() else build(shared)
        with users.open("a") as file:
            file.write("+")
    yield found
    with _alone(shared.with_suffix(".lock")), users.open("r+") as file:
        left = file.read()[1:]
        file.seek(0)
        file.truncate()
        file.write(left)
        if not left:
            end(found)


class _alone:
    """Nobody else of this site meanwhile."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path)

    def __enter__(self) -> None:
        deadline = time.monotonic() + WAIT_S
        while not self._lock.try_acquire():
            assert time.monotonic() < deadline, "the site was not built in time"
            time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self._lock.release()
