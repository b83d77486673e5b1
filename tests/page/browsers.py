"""Whether there is a browser for the tests of the page, and which."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec

NAMES = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """The system's Chromium."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def why_left_out() -> str:
    """Why the tests of the page cannot run here; "" where they can."""
    if find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if browser_path() else f"there is no {NAMES[0]} on the path"


def are_left_out() -> bool:
    """On a person's machine they are, without a browser; where NEAT_PAGE_TESTS=1 they have to run, and fail."""
    return bool(why_left_out()) and os.environ.get("NEAT_PAGE_TESTS") != "1"
