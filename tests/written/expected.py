"""What a generator logged, saved beside what the library wrote. Imports the standard library only."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

Series = dict[str, list[tuple[int, float]]]  # name -> (step, value) in the order logged


def case_folder(out: Path, library: str, case: str) -> Path:
    """The empty folder `OUT/<library>-<installed version>/<case>`; "+cpu" and the like are no part of it."""
    folder = out / f"{library}-{version(library).partition('+')[0]}" / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def save(folder: Path, files: dict[str, Series], told: dict[str, dict[str, Any]] | None = None) -> None:
    """Write expected.json: path in the folder -> its series and what it tells about the run."""
    told = told or {}
    content = {path: {"series": series, "told": told.get(path, {})} for path, series in files.items()}
    text = json.dumps({"files": content}, indent=1, sort_keys=True)
    (folder / "expected.json").write_text(text + "\n", encoding="utf-8")
