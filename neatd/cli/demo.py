"""`neat demo`."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path

import click

from neatd.errors import NeatError


@click.command(short_help="Show the whole loop on a real training.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to put it (default: a temporary folder).")
def demo(folder: Path | None) -> None:
    """Show the whole loop on a real training, in a temporary project.

    Two to three minutes on two CPU cores. Touches nothing outside its own folder.

    \b
    neat demo
    neat demo --folder /tmp/neat-demo
    """
    if not all(importlib.util.find_spec(name) for name in ("torch", "numpy")):
        hint = 'pip install "neat-notebook[trainers]"; on a machine without GPU: pip install torch==2.13.0 numpy'
        raise NeatError("the demo trains with PyTorch, which is not installed", hint)
    if not shutil.which("git"):
        raise NeatError("the demo makes a git repository, and git is not installed", "install git")
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise NeatError(f"{folder} is not empty", "name a new folder")
    from rich.console import Console

    from neatd.demo import run_demo

    place = folder.resolve() if folder else Path(tempfile.mkdtemp(prefix="neat-demo-")).resolve()
    run_demo(place, Console(highlight=False))
