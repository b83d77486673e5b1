"""Progress bars: tqdm's, Lightning's, Keras's; each state of a bar is a piece of a line, the last one its end. Pure."""

from __future__ import annotations

import re

from neatd.read.formats.lognumbers import has_metric, pairs, whole
from neatd.read.formats.logsteps import MOST_COUNTERS, Found, Memory, phase, position, prefixed, with_epoch
from neatd.read.rows import Told

_TQDM = re.compile(r"^(.{0,400}?)(\d{1,3})%\|[^|]{0,400}\|\s*(\d{1,15})/(\d{1,15})\s*\[([^\]]{0,2000})\]?(.{0,2000})$")
_RATE = re.compile(r"(?:^|,\s*)[\s\d.?:<a-z]*(?:it/s|s/it|batch/s|s/batch|batches/s|\?it/s)?", re.I)
_RICH = re.compile(
    r"^Epoch (\d{1,9})(?:/(\d{1,9}))?\s+[━╸╺ ]{3,}\s*(\d{1,12})/(\d{1,12})\s+[\d:]+ • [\d:\-]+\s+[\d.]+it/s(.*)$"
)
_KERAS = re.compile(r"^\s*(\d{1,12})/(\d{1,12})\s+(?:[━╸╺─]{3,}|\[[=>.]{3,}\]|-)\s*(.*)$")
_KERAS_EPOCH = re.compile(r"^Epoch (\d{1,9})/(\d{1,9})\s*$")
_EPOCH = re.compile(r"(?i)(?<![a-z])epochs?\s*[:=#]?\s*[\[(]?\s*(\d{1,9})(?:\s*/\s*(\d{1,9}))?")


def of_tqdm(line: str, memory: Memory) -> Found | None:
    """A bar of tqdm: a row when it shows a metric; remembered either way, for dicts printed beneath it."""
    match = _TQDM.match(line)
    if match is None:
        return None
    title, inner, total = match[1].strip(" :\t"), whole(match[3]), whole(match[4])
    if inner is None or total is None:
        return None
    values = pairs(title) | pairs(_RATE.sub(" ", match[5], count=1)) | pairs(match[6])
    if not has_metric(values):
        return Found({}, is_main_bar=_remember(memory, title, match[5], inner, total))
    epoch = _EPOCH.search(title)
    return _of_bar(memory, title, values, epoch, inner, total)


def _of_bar(
    memory: Memory, title: str, values: dict[str, float], epoch: re.Match[str] | None, inner: int, total: int
) -> Found:
    number = whole(epoch[1]) if epoch else None
    part = phase(title)
    key = f"bar:{part}" if epoch or part else f"bar:{part}:{total}"
    first = memory.setdefault("bar", key) if not part else None
    if not part and not epoch and first != key:
        return Found({})  # a second loop without a title: what it is about is not said
    step = position(memory, key, number, inner, total)
    told: Told = {"planned_epochs": float(epoch[2])} if epoch and epoch[2] else {}
    if inner == 0:  # what it shows then is of the epoch before, or of the first step, which it will count afterwards
        if key not in memory.get("seen_bars", []):
            memory["eager"] = [*memory.get("eager", []), key][-MOST_COUNTERS:]
        return Found({}, told=told)
    if key not in (seen := memory.setdefault("seen_bars", [])):
        memory["seen_bars"] = [*seen, key][-MOST_COUNTERS:]
    return Found(with_epoch(prefixed(values, part), number), step, told=told, bar=key, is_epoch=bool(part))


def _remember(memory: Memory, title: str, timing: str, inner: int, total: int) -> bool:
    """Whether it is the training's: the bar of transformers' Trainer has neither title nor unit, and is the first such."""
    if title or not re.search(r"it/s|s/it|\?", timing):
        return False
    if "main" not in memory or memory["main"][1] == total:
        memory["main"] = [inner, total]
        memory.pop("other", None)  # one before this state was an evaluation's
        return True
    memory["other"] = [inner, total]
    return False


def of_rich(line: str, memory: Memory) -> Found | None:
    """Lightning's bar as rich draws it."""
    match = _RICH.match(line)
    values = pairs(match[5]) if match else {}
    if match is None or not has_metric(values):
        return None
    epoch, inner, total = int(match[1]), int(match[3]), int(match[4])
    told: Told = {"planned_epochs": float(match[2]) + 1} if match[2] else {}
    step = position(memory, "bar:", epoch, inner, total)
    return Found(with_epoch(values, epoch), step, told=told, bar="bar:")


def of_keras(line: str, memory: Memory, is_piece: bool) -> Found | None:
    """Keras: `Epoch 3/10`, then a bar whose last state, at the end of the line, is the epoch's row."""
    head = _KERAS_EPOCH.match(line)
    if head:
        memory["keras"] = int(head[1])
        return Found({}, told={"planned_epochs": float(head[2])})
    match = _KERAS.match(line) if "keras" in memory else None
    if match is None:
        return None
    values = pairs(match[3])
    if is_piece or match[1] != match[2] or not has_metric(values):
        return Found({})
    return Found(values, memory["keras"], is_epoch=True)
