"""What a run's parameters say of its scale: size of the model, samples, which data and how much of it. Pure.

People name these in many ways; the names here are those of the usual trainers. What no name tells stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

_PARAMS = (
    "total_params", "total_parameters", "n_params", "num_params", "n_parameters", "num_parameters", "parameter_count",
    "param_count", "params_count", "model_params", "model_parameters", "params", "parameters", "trainable_params",
    "trainable_parameters",
)  # fmt: skip
_SAMPLES = (
    "max_train_samples", "max_samples", "n_samples", "num_samples", "train_samples", "n_train_samples",
    "num_train_samples", "num_train", "n_train", "train_size", "subset_size", "subset", "dataset_size", "n_examples",
    "num_examples", "max_train_examples", "max_examples", "samples",
)  # fmt: skip
_FRACTIONS = (
    "data_fraction", "train_fraction", "dataset_fraction", "subset_fraction", "train_frac", "data_frac",
    "fraction", "data_percent", "train_percent", "subset_percent", "data_pct", "percent",
)  # fmt: skip
_AMOUNTS = ("train_bytes", "data_bytes", "data_mb", "data_gb")
_DATA = (
    "data", "data_dir", "data_path", "data_root", "data_file", "data_files", "dataset", "datasets", "dataset_name",
    "dataset_path", "dataset_dir", "train_file", "train_files", "train_data", "train_path", "train_dir", "train_set",
    "training_data", "train_dataset", "corpus", "manifest", "data_folder", "datapath", "dataroot",
)  # fmt: skip
_IN_DATA = ("path", "dir", "root", "file", "files", "name", "train", "folder")  # below a `data:` of its own
_VERSIONS = (
    "data_version", "dataset_version", "data_hash", "dataset_hash", "data_revision", "dataset_revision", "data_sha",
    "dataset_sha", "data_rev",
)  # fmt: skip
_NUMBER = re.compile(r"^\s*([0-9][0-9_,]*\.?[0-9]*(?:e[0-9]+)?)\s*([kmbt]?)\s*(?:params|parameters|samples)?\s*$", re.I)
_TIMES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
MOST_VALUES = 2000
_DEEPEST = 4
_LONGEST = 300  # of a name: longer text is no name


class Scale(NamedTuple):
    """What the parameters say. Unknown is None or empty."""

    params: int | None = None
    samples: int | None = None
    fraction: float | None = None
    amount: tuple[str, float] | None = None
    data: tuple[str, ...] = ()  # paths or names of data
    version: str = ""  # as the parameters name it


def scale_of(config: Mapping[str, Any], last_values: Mapping[str, float | None]) -> Scale:
    """The scale by a run's parameters, the model's size else by a series of such a name (`last_values` by name)."""
    flat = list(_flat(config, "", _DEEPEST))[:MOST_VALUES]
    by_name: dict[str, Any] = {}
    for path, value in flat:
        by_name.setdefault(_last(path), value)
    samples = _whole(_first(by_name, _SAMPLES))
    return Scale(
        params=_whole(_first(by_name, _PARAMS)) or _whole(_first(_by_last(last_values), _PARAMS)),
        samples=samples if samples is not None and samples > 1 else None,
        fraction=_fraction(by_name),
        amount=_amount(by_name),
        data=_data(flat),
        version=next((str(by_name[one]) for one in _VERSIONS if _is_name(by_name.get(one))), ""),
    )


def is_params_series(name: str) -> bool:
    """Whether a series tells the model's size."""
    return _last(name) in _PARAMS


def _flat(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """(dotted path, value) of everything that is no mapping, the outermost first."""
    deeper: list[tuple[str, Any]] = []
    for key, one in value.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(one, Mapping):
            deeper.append((here, one))
        else:
            yield here, one
    for here, one in deeper if depth else []:
        yield from _flat(one, here, depth - 1)


@lru_cache(maxsize=8192)  # the runs of a project have the same names
def _last(path: str) -> str:
    return re.split(r"[./]", path)[-1].lower().replace("-", "_").replace(" ", "_")


def _by_last(values: Mapping[str, float | None]) -> dict[str, Any]:
    return {_last(name): value for name, value in values.items()}


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((values[name] for name in names if name in values and number_of(values[name]) is not None), None)


def number_of(value: Any) -> float | None:
    """A number, or text such as 12.7M; None for anything else, and for what is not positive and finite."""
    if isinstance(value, str):
        found = _NUMBER.match(value)
        value = float(re.sub("[_,]", "", found[1])) * _TIMES[found[2].lower()] if found and len(value) < 40 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        return None
    return float(value)


def _whole(value: Any) -> int | None:
    found = number_of(value)
    return None if found is None or found < 1 else round(found)


def _fraction(values: Mapping[str, Any]) -> float | None:
    """Between 0 and 1; a number above 1, or one that is called percent, is of a hundred."""
    for name in _FRACTIONS:
        if name not in values:
            continue
        raw = values[name]
        text = raw.strip().removesuffix("%") if isinstance(raw, str) else raw
        found = number_of(text)
        is_percent = "perc" in name or "pct" in name or text is not raw
        if found is not None and found <= 100:
            return found / 100 if is_percent or found > 1 else found
    return None


def _amount(values: Mapping[str, Any]) -> tuple[str, float] | None:
    return next(((name, found) for name in _AMOUNTS if (found := number_of(values.get(name))) is not None), None)


def _data(flat: list[tuple[str, Any]]) -> tuple[str, ...]:
    """Every value that names data, in order and once."""
    found: dict[str, None] = {}
    for path, value in flat:
        if _names_data(path):
            for one in value if isinstance(value, list | tuple) else [value]:
                if _is_name(one):
                    found[str(one)] = None
    return tuple(found)[:20]


@lru_cache(maxsize=8192)
def _names_data(path: str) -> bool:
    above, last = _last(path.rpartition(".")[0]), _last(path)
    return last in _DATA or (above in ("data", "dataset", "datasets") and last in _IN_DATA)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST and "\n" not in value
