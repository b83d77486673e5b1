"""Trainers whose epoch is several lines: nnU-Net v2 and Ultralytics' table. Pure.

What was read of an unfinished epoch waits in the memory; nothing of it is a row before the epoch's last line.
"""

from __future__ import annotations

import re

from neatd.read.formats.lognumbers import NUMBER, number, unwrapped, whole
from neatd.read.formats.logsteps import Found, Memory
from neatd.read.rows import Told

MOST_CLASSES = 256  # whose Dice is kept one by one
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?: ?(.{0,8000})$")
_VALUE = re.compile(rf"^(train_loss|val_loss|Current learning rate:|Epoch time:) ({NUMBER})")
_BEST = re.compile(rf"^Yayy! New best EMA pseudo Dice: ({NUMBER})")
_NAMES = {"Current learning rate:": "learning_rate", "Epoch time:": "epoch_time_s"}
_YOLO_HEAD = re.compile(r"^\s*Epoch\s+GPU_mem\s+(\S.*?)\s+Instances\s+Size\s*$")
_YOLO = re.compile(r"^\s*(\d{1,9})/(\d{1,9})\s+[\d.]+[GMK]\s+([\d.\snaif]+?)\s+(\d+)\s+(\d+):\s+100%")
_YOLO_VALIDATED = re.compile(r"^\s*all\s+(\d+)\s+(\d+)((?:\s+[\d.]+){4,8})\s*$")
_YOLO_VALUES = ("precision", "recall", "map50", "map50-95")


def nnunet(line: str, memory: Memory) -> Found | None:
    """nnU-Net's log: `Epoch N` opens an epoch, `Epoch time` closes it."""
    match = _STAMP.match(unwrapped(line))
    if match is None:
        return None
    text = match[1].strip()
    begun = re.fullmatch(r"Epoch (\d{1,9})", text)
    if begun:
        memory["nnunet"] = [int(begun[1]), {}]
        return Found({})
    if "nnunet" not in memory:
        return None
    return _of_epoch(text, memory)


def _of_epoch(text: str, memory: Memory) -> Found | None:
    """Values wait as the text they are: a state is plain JSON, which has no NaN."""
    epoch, values = memory["nnunet"]
    best = _BEST.match(text)
    if best:
        return Found({"best_ema_pseudo_dice": float(best[1])}, epoch, is_epoch=True)
    if text.startswith("Pseudo dice ["):
        dice = re.findall(NUMBER, text[13:])[:MOST_CLASSES]
        values |= {f"pseudo_dice/{n}": each for n, each in enumerate(dice)}
        return Found({})
    match = _VALUE.match(text)
    if match is None:
        return None
    values[_NAMES.get(match[1], match[1])] = match[2]
    if match[1] != "Epoch time:":
        return Found({})
    memory["nnunet"] = [epoch, {}]
    numbers = {name: one for name, text in values.items() if (one := number(text)) is not None}
    return Found(numbers, epoch, is_epoch=True) if len(numbers) > 1 else Found({})


def yolo(line: str, memory: Memory) -> Found | None:
    """Ultralytics' table: the header names the columns, an epoch's full bar is its row, `all` its validation."""
    head = _YOLO_HEAD.match(line)
    if head:
        memory["yolo"] = [head[1].split()[:20], None]
        return Found({})
    if "yolo" not in memory:
        return None
    names, epoch = memory["yolo"]
    match = _YOLO.match(line)
    if match:
        return _yolo_row(match, names, memory)
    validated = _YOLO_VALIDATED.match(line)
    if validated is None or epoch is None:
        return None
    numbers = [float(one) for one in validated[3].split() if one.count(".") <= 1 and one != "."]
    return Found(dict(zip(_YOLO_VALUES, numbers, strict=False)), epoch, is_epoch=True)


def _yolo_row(match: re.Match[str], names: list[str], memory: Memory) -> Found:
    epoch, planned = whole(match[1]), whole(match[2])
    numbers = [number(one) for one in match[3].split()]
    told: Told = {"planned_epochs": float(planned or 0)}
    memory["yolo"] = [names, epoch]
    if len(numbers) != len(names):
        return Found({})
    values = {f"train/{name}": one for name, one in zip(names, numbers, strict=True) if one is not None}
    return Found(values, epoch, told=told, bar="yolo", is_epoch=True)
