"""What a run was trained on: what its parameters name, matched with the data versions that held when it started."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from neatd.knowledge import Data
from neatd.models import Run
from neatd.rules.comparable import Basis
from neatd.rules.scale import scale_of

MOST_NAMED = 3


class Trained(NamedTuple):
    """`basis` has the data, fraction, samples and amount; `text` says them to a person."""

    params: int | None
    text: str
    basis: Basis


def trained_on(
    config: Mapping[str, Any], last_values: Mapping[str, float | None], versions: Mapping[str, list[Data]],
    run: Run | None = None, at: datetime | None = None,
) -> Trained:  # fmt: skip
    """What the parameters of a run (or of an experiment stated `at` a time) tell of its data."""
    scale = scale_of(config, last_values)
    moment = run.started_at if run else at
    used: dict[str, Data] = {}
    unknown: list[str] = []
    for name in scale.data:
        found = _held(name, versions, run, moment)
        used |= found
        if not found:
            unknown.append(_last_part(name))
    rows = next((one.rows for one in used.values()), None) if len(used) == 1 else None
    fraction, samples = _completed(scale.fraction, scale.samples, rows)
    data = tuple((path, one.hash) for path, one in sorted(used.items()))
    if scale.version:
        data = (*data, ("version", scale.version))
    basis = Basis(
        data=data, data_names=tuple(_last_part(name) for name in scale.data), fraction=fraction,
        samples=samples, amount=scale.amount,
    )  # fmt: skip
    named = [f"{path}@{version[:8]}" if path != "version" else version for path, version in data]
    return Trained(scale.params, _listed([*named, *unknown]), basis)


def _completed(fraction: float | None, samples: int | None, rows: int | None) -> tuple[float | None, int | None]:
    """Of fraction and samples the one that is not said, by the rows of the data."""
    if rows and fraction is None and samples is not None and samples <= rows:
        return samples / rows, samples
    if rows and samples is None and fraction is not None:
        return fraction, round(rows * fraction)
    return fraction, samples


def _held(
    name: str, versions: Mapping[str, list[Data]], run: Run | None, at: datetime | None
) -> dict[str, Data]:  # fmt: skip
    """Registered path -> the version that held then: of the path itself, of a folder around it, of what is in it."""
    for path in _as_registered(name, run) if versions and at else []:
        around = next((one for one in _upwards(path) if one in versions), None)
        below = sorted(one for one in versions if one.startswith(f"{path}/")) if around is None else [around]
        found = {one: held for one in below if (held := _at(versions[one], at)) is not None}
        if found:
            return found
    return {}


def _upwards(path: str) -> Iterator[str]:
    """The path, then each folder around it."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _last_part(name: str) -> str:
    return name.rstrip("/\\").replace("\\", "/").rpartition("/")[2] or name


def _at(of_path: list[Data], at: datetime | None) -> Data | None:
    return next((one for one in reversed(of_path) if at is not None and one.hash and one.created_at <= at), None)


def _as_registered(name: str, run: Run | None) -> list[str]:
    """The ways a value may name a registered path: from the project's folder, from the run's, outright."""
    plain = posixpath.normpath(name.replace(os.sep, "/"))
    if run is None:
        return [plain]
    if posixpath.isabs(plain):
        root = run.root.replace(os.sep, "/").rstrip("/")
        return [plain.removeprefix(f"{root}/")]
    return [plain, posixpath.normpath(posixpath.join(run.folder, plain))]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
