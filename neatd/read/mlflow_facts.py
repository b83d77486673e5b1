"""What the files of an MLflow run's folder say besides metrics: meta.yaml, params/, tags/. Reads only; of what lies in
the folder no link is followed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from neatd.files import read_small
from neatd.read.mlflow_run import MOST_PARAMS, run_told
from neatd.read.parameters import load_yaml
from neatd.read.rows import Told

LARGEST_META = 1 << 16  # bytes
LARGEST_VALUE = 1 << 16  # bytes; MLflow itself allows 8,000 letters
DEPTH = 16  # of names with slashes, which are folders
_DELETED = re.compile(rb"^lifecycle_stage:\s*[\"']?deleted\b", re.M)
_TAGS = ("mlflow.runName", "mlflow.source.git.commit", "mlflow.source.name")


def mlflow_facts(run_folder: Path) -> Told:
    """What is there and can be read; {} for a folder without a meta.yaml of MLflow."""
    meta = _meta(run_folder / "meta.yaml")
    if "run_id" not in meta and "run_uuid" not in meta:
        return Told()
    params = {name: value for name, path in _below(run_folder / "params") if (value := _value(path)) is not None}
    tags = {name: value for name in _TAGS if (value := _value(run_folder / "tags" / name)) is not None}
    return run_told(meta, params, tags)


def _meta(path: Path) -> dict[str, Any]:
    """It is written anew at a run's end: half of it, or none of it, is none."""
    try:
        data = {} if path.is_symlink() else load_yaml(read_small(path, LARGEST_META).decode("utf-8"))
    except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError, yaml.YAMLError):
        return {}
    return data if isinstance(data, dict) else {}


def _value(path: Path) -> str | None:
    try:
        if path.is_symlink() or path.parent.is_symlink():
            return None
        return read_small(path, LARGEST_VALUE).decode("utf-8", "replace")
    except OSError:
        return None


def _below(folder: Path) -> list[tuple[str, Path]]:
    """(name, file) of the values in a folder, sorted; the name is the path below it."""
    found: list[tuple[str, Path]] = []
    for path in () if folder.is_symlink() else _files(folder, DEPTH):
        found.append((_text(path.relative_to(folder)), path))
        if len(found) == MOST_PARAMS:
            break
    return sorted(found)


def _files(folder: Path, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except OSError:
        return
    for entry in listed:
        if entry.is_dir(follow_symlinks=False):
            yield from _files(Path(entry.path), depth - 1) if depth else ()
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def _text(path: Path) -> str:
    """The name as the store can hold it: bytes that are not UTF-8 become "?"."""
    return os.fsencode(path.as_posix()).decode("utf-8", "replace")


def is_deleted(run_folder: Path) -> bool:
    """Whether MLflow counts the run as deleted; its folder stays until `mlflow gc`. Asked at each walk: no YAML is read."""
    try:
        path = run_folder / "meta.yaml"
        return not path.is_symlink() and _DELETED.search(read_small(path, LARGEST_META)) is not None
    except OSError:
        return False
