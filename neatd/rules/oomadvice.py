"""What to change after a run ended for want of memory, by the run's own configuration: the record of a bug. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import floor, log10
from typing import Any

from neatd.rules.headroom import amount
from neatd.rules.oom import MemoryEnd

AIM = 0.8  # of what there is: leaves room for an evaluation and for the copy that a checkpoint makes
MOST_NAMED = 2  # parameters of a kind
_SAMPLES = (
    "max_samples", "max_train_samples", "num_samples", "n_samples", "samples", "limit_samples", "sample_limit",
    "train_samples", "max_examples", "num_examples", "max_items", "num_volumes", "max_volumes", "subset_size",
)  # fmt: skip
_WORKERS = (
    "num_workers", "dataloader_num_workers", "n_workers", "workers", "loader_workers", "dataloader_workers", "num_proc",
    "preprocessing_num_workers",
)  # fmt: skip
_BATCH = (
    "batch_size", "per_device_train_batch_size", "train_batch_size", "micro_batch_size", "device_batch_size",
    "per_gpu_train_batch_size", "batch", "bs",
)  # fmt: skip
_LENGTH = (
    "max_length", "max_seq_length", "seq_len", "sequence_length", "block_size", "context_length", "image_size", "img_size",
    "patch_size", "crop_size",
)  # fmt: skip


def bug_fields(name: str, end: MemoryEnd, config: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the record: what happened, by how much memory was short, the peak, what to change."""
    kind = {"host": "memory", "gpu": "GPU memory", "shm": "shared memory"}[end.where]
    sure = "" if end.is_sure else "probably "
    limit = f"of {amount(end.limit_bytes)} ({end.limit})" if end.limit_bytes else ""
    return {
        "title": f"{name} {sure}ran out of {kind}" + (f" {limit}" if limit else ""),
        "cause": end.how,
        "body": "\n".join(numbers(end)),
        "before": f"peak {amount(end.peak_bytes)}" if end.peak_bytes else "",
        "follow_up": "; ".join(advice(end, config)),
        "tags": ["memory"],
    }


def numbers(end: MemoryEnd) -> list[str]:
    """What was there and what was missing, a line each."""
    lines = []
    if end.limit_bytes:
        others = f", of which other programs held {amount(end.others_bytes)}" if end.others_bytes else ""
        lines.append(f"The limit: {amount(end.limit_bytes)} ({end.limit}){others}.")
    if end.peak_bytes:
        lines.append(f"The run's peak: {amount(end.peak_bytes)}.")
    if end.short_bytes:
        assert end.wanted_bytes and end.left_bytes is not None
        asked = f"it asked for {amount(end.wanted_bytes)} where {amount(end.left_bytes)} were left"
        lines.append(f"Short by {amount(end.short_bytes)} at the least: {asked}.")
    elif end.left_bytes is not None:
        lines.append(
            f"At the last look {amount(end.left_bytes)} were left, and it took more than that; how much more it needed is"
            " not known."
        )
    return lines


def advice(end: MemoryEnd, config: Mapping[str, Any]) -> list[str]:
    """What to change, the most likely first, with the present values."""
    if end.where == "gpu":
        found = [*_each(config, _BATCH, _smaller_batch), *_each(config, _LENGTH, _shorter)]
        general = (
            "a smaller batch with as many more steps of gradient accumulation, mixed precision, activation checkpoints"
        )
    elif end.where == "shm":
        found = list(_each(config, _WORKERS, _fewer_workers))
        general = "more /dev/shm (for a container: --shm-size, or --ipc=host), or fewer workers of the data loader"
    else:
        share = _share(end)
        found = [
            *_each(config, _SAMPLES, lambda path, value: _fewer_samples(path, value, share)),
            *_each(config, _WORKERS, _fewer_workers),
            *_each(config, _BATCH, _smaller_batch),
        ]
        general = (
            "load fewer samples at once, or lazily, one at a time; fewer workers of the data loader; a smaller batch"
        )
    if not found:
        return [f"its configuration names none of what usually helps: {general}"]
    return [*found, f"else: {general}"] if end.where != "host" else found


def _share(end: MemoryEnd) -> float:
    """Of what the run took, what it may take."""
    room = (end.limit_bytes or 0) - (end.others_bytes or 0)
    return AIM * min(1.0, room / end.peak_bytes) if room > 0 and end.peak_bytes else AIM


def _each(config: Mapping[str, Any], names: tuple[str, ...], say: Any) -> Iterator[str]:
    found = [(path, value) for path, value in _counts(config) if path.rpartition(".")[2].lower() in names]
    yield from (say(path, value) for path, value in found[:MOST_NAMED] if value > 0)


def _counts(config: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, int]]:
    """(dotted name, whole number) of every parameter that is one. Numbers that came as text count."""
    for name, value in config.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping):
            yield from _counts(value, f"{path}.")
        elif isinstance(value, str):
            if value.isascii() and value.isdecimal() and len(value) < 16:
                yield path, int(value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
            yield path, int(value)


def _fewer_samples(path: str, value: int, share: float) -> str:
    fewer = value * share
    digits = 10 ** max(0, floor(log10(max(1.0, fewer))) - 1)
    return f"{path}={value}: load about {max(1, int(fewer // digits * digits))} or fewer at once, or all of them lazily"


def _fewer_workers(path: str, value: int) -> str:
    return f"{path}={value}: try {value // 2}; each holds its own copy of what the data set keeps, and batches ahead"


def _smaller_batch(path: str, value: int) -> str:
    return f"{path}={value}: try {value // 2}" if value > 1 else f"{path}={value} is the least already"


def _shorter(path: str, value: int) -> str:
    return f"{path}={value}: less of it, if the task allows"
