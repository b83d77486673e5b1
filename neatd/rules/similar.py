"""How alike two configurations are: parameters compared one by one. Pure.

Names of folders and runs, devices and workers say nothing of a result and are left out; seeds are told apart. A
parameter that one side does not name is compared with what the other side's whole configuration says of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from neatd.rules.commandline import Value
from neatd.rules.remarks import is_remark

FACTOR = 4.0  # near: two steps of the usual 1, 2, 5, 10 and of doubling a batch
MOST_NEAR = 2  # parameters that may differ
UNSAID = "(not said)"
_IGNORED = frozenset(
    {
        "out", "output", "outdir", "out_dir", "output_dir", "save", "save_dir", "savedir", "save_path", "log_dir", "logdir",
        "logging_dir", "checkpoint_dir", "ckpt_dir", "run_dir", "workdir", "work_dir", "name", "run_name", "run_id", "exp",
        "exp_name", "experiment_name", "version", "tag", "tags", "notes", "started_at", "time", "timestamp", "date", "host",
        "hostname", "user", "config", "config_file", "cfg", "device", "devices", "gpu", "gpus", "num_workers", "workers",
        "threads", "num_threads", "pin_memory", "port", "master_port", "master_addr", "local_rank", "rank", "resume",
        "verbose", "debug", "quiet", "wandb", "project", "entity", "group", "log_every", "logging_steps", "save_every",
        "save_steps", "save_total_limit", "parameter_count", "torch_version", "python_version", "git_commit", "commit",
        "command", "argv", "pid",
    }
)  # fmt: skip
_SEEDS = frozenset({"seed", "random_seed", "manual_seed", "rng_seed", "data_seed", "torch_seed"})


class Known(NamedTuple):
    """A configuration that was tried. `config` is all of it where that is known, `said` what its command named.

    `is_partial`: only the columns somebody wrote down, as of a recorded experiment; what it does not name is not compared.
    """

    config: Mapping[str, Value] = {}
    said: Mapping[str, Value] | None = None
    program: str = ""
    is_partial: bool = False


class Similarity(NamedTuple):
    """`differing` is name -> (what is asked, what was tried); the distance of the same one is 0, of a near one up to 2."""

    relation: Literal["same", "near"]
    differing: dict[str, tuple[Value, Value]]
    distance: float
    shared: int  # parameters that are equal
    is_other_seed: bool = False
    common: tuple[str, ...] = ()  # what both name, of a recorded experiment
    unknown: tuple[str, ...] = ()  # what the command names and the experiment does not
    unnamed: tuple[str, ...] = ()  # what the experiment names and the command does not


def is_same_program(one: str, other: str) -> bool:
    """train.py is /project/train.py; lm/train.py is not images/train.py."""
    return not one or not other or f"/{one}".endswith(f"/{other}") or f"/{other}".endswith(f"/{one}")


def defaults_of(tried: Iterable[Known], program: str = "") -> dict[str, Value]:
    """What a parameter is when nobody names it, learned from runs of the program that did not; the first ones first."""
    found: dict[str, Value] = {}
    for one in tried:
        if one.said is None or one.is_partial or not is_same_program(program, one.program):
            continue
        named = {name.rsplit(".", 1)[-1] for name in one.said}
        for name, value in one.config.items():
            if name.rsplit(".", 1)[-1] not in named:
                found.setdefault(name, value)
    return found


def compare(
    asked: Mapping[str, Value], known: Known, program: str = "", defaults: Mapping[str, Value] | None = None
) -> Similarity | None:
    """How a configuration that is asked about stands to one that was tried; None when they are not alike.

    `asked` is what the command and its files name. What only the tried command named is compared with the default where
    that is known, and is a difference where it is not.
    """
    if not is_same_program(program, known.program):
        return None
    ours, theirs = _aligned(asked, known)
    if known.is_partial:
        return _partial(ours, theirs, defaults or {})
    for side, other in ((ours, theirs), (theirs, ours)):
        side |= {name: (defaults or {})[name] for name in other.keys() - side.keys() if name in (defaults or {})}
    names = [name for name in {**ours, **theirs} if not _is_ignored(name)]
    pairs = {name: (ours.get(name, UNSAID), theirs.get(name, UNSAID)) for name in names}
    return _judged(
        {name: pair for name, pair in pairs.items() if not _is_equal(*pair)}, len(names), known.said is not None
    )


def _partial(
    ours: Mapping[str, Value], theirs: Mapping[str, Value], defaults: Mapping[str, Value]
) -> Similarity | None:
    """How a command stands to what somebody wrote down. What only one of them names is unknown, and said so: it makes
    the two no more than near."""
    told = {name: value for name, value in theirs.items() if not _is_ignored(name) and not is_remark(name, value)}
    ours = {**{name: defaults[name] for name in told.keys() - ours.keys() if name in defaults}, **ours}
    names = [name for name in told if name in ours]
    if not names or 2 * len(names) < len(told):
        return None
    pairs = {name: (ours[name], told[name]) for name in names}
    found = _judged({name: pair for name, pair in pairs.items() if not _is_equal(*pair)}, len(names), False)
    if found is None:
        return None
    unnamed = tuple(name for name in told if name not in ours)
    unknown = tuple(name for name in ours if name not in told and not _is_ignored(name) and not is_seed(name))
    relation: Literal["same", "near"] = "near" if unknown or unnamed else found.relation
    return found._replace(relation=relation, common=tuple(names), unknown=unknown, unnamed=unnamed)


def _judged(differing: dict[str, tuple[Value, Value]], count: int, is_command_known: bool) -> Similarity | None:
    """Same, near or neither. Two commands that name nothing are the same; a bare configuration needs one equal value."""
    shared = count - len(differing)
    telling = [pair for name, pair in differing.items() if not is_seed(name)]
    if shared == 0 and (telling or not is_command_known):
        return None
    if not telling:
        return Similarity("same", differing, 0.0, shared, bool(differing))
    distances = [_distance(*pair) for pair in telling]
    if len(telling) > MOST_NEAR or max(distances) > 1.0:
        return None
    return Similarity("near", differing, sum(distances), shared)


def _aligned(asked: Mapping[str, Value], known: Known) -> tuple[dict[str, Value], dict[str, Value]]:
    """Both sides with the same names for the same parameters: `lr` is `optimizer.lr` where there is only one lr."""
    leaves: dict[str, list[str]] = {}
    for name in known.config:
        leaves.setdefault(name.rsplit(".", 1)[-1], []).append(name)

    def whole(name: str) -> str:
        if name in known.config:
            return name
        found = leaves.get(name.rsplit(".", 1)[-1], [])
        return found[0] if len(found) == 1 and (name == found[0] or _is_part(name, found[0])) else name

    ours = {whole(name): value for name, value in asked.items()}
    said = {whole(name): value for name, value in (known.said or {}).items()}
    asked_for = known.config if known.is_partial else {**ours, **said}
    theirs = {**said, **{name: known.config[name] for name in asked_for if name in known.config}}
    return ours, theirs


def _is_part(short: str, long: str) -> bool:
    return f".{long}".endswith(f".{short}") or f".{short}".endswith(f".{long}")


def _is_ignored(name: str) -> bool:
    return name in _IGNORED or name.rsplit(".", 1)[-1] in _IGNORED


def says_something(name: str) -> bool:
    """Whether a parameter of this name may change a result."""
    return not _is_ignored(name)


def is_seed(name: str) -> bool:
    """Whether a parameter of this name decides chance alone."""
    return name.rsplit(".", 1)[-1] in _SEEDS


def _is_equal(one: Value, other: Value) -> bool:
    if _is_number(one) and _is_number(other):
        return math.isclose(float(one), float(other), rel_tol=1e-9)  # type: ignore[arg-type]
    return type(one) is type(other) and one == other


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _distance(one: Value, other: Value) -> float:
    """0 for equal numbers, 1 for numbers a factor of FACTOR apart; infinite for words, switches, signs and zero."""
    if not (_is_number(one) and _is_number(other)):
        return math.inf
    a, b = float(one), float(other)  # type: ignore[arg-type]
    if a * b <= 0:
        return math.inf
    return abs(math.log(a / b)) / math.log(FACTOR) - 1e-9


def difference_text(similarity: Similarity, most: int = 4) -> str:
    """`lr 0.01, was 0.02`; "the same" and "the same but for the seed" by name."""
    if similarity.unknown or similarity.unnamed:
        return _partial_text(similarity, most)
    if not similarity.differing:
        return "the same configuration"
    if similarity.relation == "same":
        return "the same configuration but for the seed"
    return _differences(similarity, most)


def _differences(similarity: Similarity, most: int) -> str:
    parts = [f"{name} {_shown(new)}, was {_shown(old)}" for name, (new, old) in similarity.differing.items()]
    return "; ".join(parts[:most]) + (" …" if len(parts) > most else "")


def _partial_text(similarity: Similarity, most: int) -> str:
    """`only lr is known in common, and equal; its max_steps is unknown; the command does not name patch`."""
    is_one = len(similarity.common) == 1
    told = _differences(similarity, most) if similarity.differing else "and equal" if is_one else "and they are equal"
    parts = [f"only {_names(similarity.common, most)} {'is' if is_one else 'are'} known in common, {told}"]
    if similarity.unknown:
        parts.append(
            f"its {_names(similarity.unknown, most)} {'is' if len(similarity.unknown) == 1 else 'are'} unknown"
        )
    if similarity.unnamed:
        parts.append(f"the command does not name {_names(similarity.unnamed, most)}")
    return "; ".join(parts)


def _names(names: tuple[str, ...], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _shown(value: Value) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
