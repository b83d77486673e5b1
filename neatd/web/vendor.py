"""Charts' code of others, out of the packages that carry it: nothing of theirs is kept here, nothing comes from the network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from neatd.errors import NeatError

FILES = {  # name in the page's addresses -> (package, file below it)
    "uplot.js": ("uplot", "static/uPlot.iife.js"),
    "uplot.css": ("uplot", "static/uPlot.min.css"),
    "plotly.js": ("plotly", "package_data/plotly.min.js"),
}


def vendor_file(name: str) -> Path:
    """Where the file of that name lies. The package is found and not loaded: it would bring a notebook with it."""
    package, below = FILES[name]
    spec = find_spec(package)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    if folder is None or not (folder / below).is_file():
        raise NeatError(
            f"{package}/{below} is not installed", "install neat anew: pip install --force-reinstall neat-notebook"
        )
    return folder / below
