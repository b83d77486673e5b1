"""The site that the tests of views look at: one for each process of tests, since a test that follows what happens is
disturbed by another one that makes it happen. Tests read it, and add to it; what is taken away needs a site of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.page.site import Site, build, end


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real notebook with its daemon."""
    base = tmp_path_factory.mktemp("site")
    try:
        yield build(base)
    finally:
        end(Site(base))
