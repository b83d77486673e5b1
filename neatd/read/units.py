"""The files of one folder that are one save: a model's shards, its index, the optimizer beside it. Pure.

By names alone. Invariant: files whose names tell different steps are never one save, and of a save only files that look
like a trainer's own belong to it: what lies beside it under any other name stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

SUFFIXES = (".pt", ".pth", ".ckpt", ".safetensors")
_INDEX = (".safetensors.index.json", ".bin.index.json", ".index.json")
_BESIDE = (".bin", ".json", ".pkl", ".npz", ".yaml")  # belongs to a save only where its name tells its part in it
_SHARD = re.compile(r"[-_.]?(\d+)[-_]of[-_](\d+)(?=$|[-_.])")
_RANK = re.compile(r"(?:^|[-_.])(?:(?:mp|tp|pp|dp|ep|zero|world)[-_]?)*rank[-_]?\d+(?=$|[-_.])", re.I)
_CORE = frozenset({"model", "weights", "pytorch"})
_ROLES = _CORE | frozenset(
    {
        "optim", "optimizer", "opt", "optstate", "sched", "scheduler", "ema", "rng", "scaler", "meta", "metadata", "state",
        "states", "trainer", "training", "config", "args",
    }
)  # fmt: skip


class Unit(NamedTuple):
    """One save: `main` stands for it in the catalogue, `parts` are the other names."""

    main: str
    parts: tuple[str, ...]
    is_short: bool  # a shard that the others' names speak of is missing


class _Name(NamedTuple):
    key: str  # what is left of the name without its part in the save
    roles: frozenset[str]
    shard: tuple[int, int] | None
    base: str  # the name without the shard's number: which shards belong together
    is_state: bool  # a checkpoint by its suffix


def group(names: Iterable[str]) -> list[Unit]:
    """The saves among the names of one folder's files; names that belong to none are left out."""
    by_key: dict[str, list[str]] = {}
    for name in names:
        found = _split(name)
        if found is not None:
            by_key.setdefault(found.key, []).append(name)
    return [unit for members in by_key.values() if (unit := _unit(members)) is not None]


def _unit(members: Sequence[str]) -> Unit | None:
    ranked = sorted(members, key=_rank)
    if not _parsed(ranked[0]).is_state:
        return None
    return Unit(ranked[0], tuple(sorted(ranked[1:])), _is_short(members))


def _rank(name: str) -> tuple[bool, int, int, str]:
    """The plainest name first: it stands for the save, whatever comes beside it later."""
    found = _parsed(name)
    weight = 0 if not found.roles else 1 if found.roles <= _CORE else 2
    return not found.is_state, weight, found.shard[0] if found.shard else 0, name


def _is_short(members: Sequence[str]) -> bool:
    """Whether a shard is missing: they count from 1, or from 0."""
    sets: dict[tuple[str, int], set[int]] = {}
    for name in members:
        found = _parsed(name)
        if found.shard:
            sets.setdefault((found.base, found.shard[1]), set()).add(found.shard[0])
    return any(
        not (there >= set(range(1, count + 1)) or there >= set(range(count)))
        for (_, count), there in sets.items()
        if count <= 100_000  # a name, and not a number to make a set of
    )


def _parsed(name: str) -> _Name:
    found = _split(name)
    assert found is not None
    return found


@lru_cache(maxsize=1 << 14)  # a folder is looked at again and again
def _split(name: str) -> _Name | None:
    """What a name tells; None for a file that is no part of a save."""
    lower = name.lower()
    suffix = next((one for one in (*_INDEX, *SUFFIXES, *_BESIDE) if lower.endswith(one)), "")
    if not suffix:
        return None
    stem = name[: -len(suffix)]
    shard = _SHARD.search(stem)
    base = _SHARD.sub("", stem)
    words = [word for word in re.split(r"[-_.]", _RANK.sub("", base)) if word]
    roles = frozenset(word.lower() for word in words) & _ROLES
    key = "_".join(word for word in words if word.lower() not in _ROLES)
    numbered = any(letter.isdigit() for letter in key)
    if suffix in _BESIDE and not (shard or (roles and numbered)):
        return None
    number = (int(shard[1]), int(shard[2])) if shard and len(shard[1]) < 10 and len(shard[2]) < 10 else None
    return _Name(key, roles, number, base + suffix, suffix in SUFFIXES)
