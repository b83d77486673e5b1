"""Lines that one trainer writes and nothing else does: each reader takes a line and the memory, and knows it or not. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from neatd.read.formats.lognumbers import NUMBER, has_metric, named, number, pairs, spelled
from neatd.read.formats.logsteps import Found, Memory, position, prefixed, standing, with_epoch

_N = rf"({NUMBER})"
_NANOGPT_EVAL = re.compile(rf"^step (\d{{1,15}}): train loss {_N}, val loss {_N}")
_NANOGPT = re.compile(rf"^iter (\d{{1,15}}): loss {_N}, time {_N}ms(?:, mfu {_N}%)?")
_TORCHTUNE = re.compile(r"(?:^|\s)Step (\d{1,15}) \| (\S.*)$")
_FIELD = re.compile(r"([^\s:]{1,100}):(\S{1,100})")
_MEGATRON = re.compile(r"(?:^|[\s:])iteration\s+(\d{1,15})/\s*(\d{1,15}) \|(.*)$")
_MEGATRON_EVAL = re.compile(r"validation loss at iteration (\d{1,15})[^|]{0,80}\|(.*)$")
_MEGATRON_SKIP = re.compile(r"^(?:number of |consumed |elapsed time)")
_MNIST = re.compile(rf"Train Epoch:\s*(\d{{1,9}}) \[\s*(\d{{1,12}})/(\d{{1,12}})[^\]]{{0,12}}\]\s+Loss:\s*{_N}")
_MNIST_TEST = re.compile(rf"^Test set: Average loss: {_N}, Accuracy: (\d{{1,12}})/(\d{{1,12}}) \(")
_METER = re.compile(rf"([A-Za-z][\w@]{{0,40}}):?\s+{_N}\s*\(\s*{_N}\)")
_TIMM = re.compile(r"(?:^|\s)Train: (\d{1,9}) \[\s*(\d{1,12})/(\d{1,12})\s[^\]]{0,12}\](.*)$")
_IMAGENET = re.compile(r"(?:^|\s)Epoch: \[(\d{1,9})\]\[\s*(\d{1,12})/(\d{1,12})\](.*)$")
_METER_TEST = re.compile(r"(?:^|\s)Test(?: \(EMA\))?: \[\s*(\d{1,12})/(\d{1,12})\](.*)$")
_DETECTRON = re.compile(r"(?:^|\s)eta: \S.{0,40}?\siter: (\d{1,15})\s+(.*total_loss: .*)$")
_MMENGINE = re.compile(
    r"(?:^|\s)(Epoch|Iter)(?:\((train|val|test)\))? *(?:\[(\d{1,9})\])?\[ *(\d{1,12})/ *(\d{1,12})\]\s+(.*)$"
)
_MMENGINE_SKIP = re.compile(r"^(?:data_time|time|memory|eta)$")
_FAIRSEQ = re.compile(r"\| epoch (\d{1,9})(?:\s*\|\s*(valid) on '([^']{0,40})' subset)? \| (.*\|.*)$")
_FAIRSEQ_INNER = re.compile(r"\| epoch (\d{1,9}):\s*(\d{1,12}) / (\d{1,12}) (.*)$")


def nanogpt(line: str, memory: Memory) -> Found | None:
    """nanoGPT's two lines: the evaluation of a step and one iteration."""
    evaluated = _NANOGPT_EVAL.match(line)
    if evaluated:
        return Found({"train_loss": float(evaluated[2]), "val_loss": float(evaluated[3])}, int(evaluated[1]))
    match = _NANOGPT.match(line)
    if match is None:
        return None
    values = {"loss": float(match[2]), "time_ms": float(match[3])}
    return Found(values | ({"mfu": float(match[4])} if match[4] else {}), int(match[1]))


def torchtune(line: str, memory: Memory) -> Found | None:
    """torchtune's disk logger: `Step N | name:value name:value`."""
    match = _TORCHTUNE.search(line)
    if match is None:
        return None
    fields = ((name, spelled(value)) for name, value in _FIELD.findall(re.sub(r",\s+", ",", match[2])))
    values = {name: value for name, value in fields if value is not None}
    return Found(values, int(match[1])) if values else None


def megatron(line: str, memory: Memory) -> Found | None:
    """Megatron-LM's columns between bars, of an iteration or of a validation."""
    evaluated = _MEGATRON_EVAL.search(line)
    if evaluated:
        losses = {f"val_{name.removesuffix('_value')}": one for name, one in _columns(evaluated[2]).items()}
        return Found(losses, int(evaluated[1]))
    match = _MEGATRON.search(line)
    values = _columns(match[3]) if match else {}
    if match is None or not values:
        return None
    return Found(values, int(match[1]), told={"planned_steps": int(match[2])})


def _columns(text: str) -> dict[str, float]:
    """`name: number |`; a name may be of several words."""
    found = {}
    for column in text.split("|"):
        name, _, value = column.rpartition(":")
        one = spelled(value)
        if name.strip() and one is not None and not _MEGATRON_SKIP.match(name.strip()):
            found[named(name.split("(")[0])] = one
    return found


def examples(line: str, memory: Memory) -> Found | None:
    """PyTorch's MNIST example: steps are samples seen, as the line says."""
    match = _MNIST.search(line)
    if match:
        epoch, loss = int(match[1]), number(match[4])
        step = position(memory, "", epoch, int(match[2]), int(match[3]))
        return Found(with_epoch({"loss": loss if loss is not None else 0.0}, epoch), step)
    tested = _MNIST_TEST.match(line)
    step_now = memory.get("step")
    if tested is None or step_now is None:
        return None
    share = 100.0 * int(tested[2]) / max(1, int(tested[3]))
    return Found({"test_loss": float(tested[1]), "test_accuracy": share}, step_now)


def meters(line: str, memory: Memory) -> Found | None:
    """timm's and the ImageNet example's `Name value (average)`: the value of a training batch, the average of a test."""
    match = _TIMM.search(line) or _IMAGENET.search(line)
    if match:
        epoch = int(match[1])
        values = {named(name): float(value) for name, value, _ in _METER.findall(match[4])} | pairs(match[4])
        values = {name: one for name, one in values.items() if name not in ("time", "data")}
        step = position(memory, "", epoch, int(match[2]), int(match[3]))
        return Found(with_epoch(values, epoch), step) if has_metric(values) else Found({})
    tested = _METER_TEST.search(line)
    if tested is None:
        return None
    averages = {named(name): float(mean) for name, _, mean in _METER.findall(tested[3])}
    values = {f"test_{name}": one for name, one in averages.items() if name not in ("time", "data")}
    is_last = int(tested[1]) >= int(tested[2]) - 1
    return Found(values, memory["step"]) if is_last and values and "step" in memory else Found({})


def detectron(line: str, memory: Memory) -> Found | None:
    """detectron2's line of a period: `eta: … iter: N total_loss: x …`."""
    match = _DETECTRON.search(line)
    if match is None:
        return None
    values = {name: one for name, text in _fields(match[2]) if (one := spelled(text)) is not None}
    return Found(values, int(match[1])) if has_metric(values) else None


def _fields(text: str) -> list[tuple[str, str]]:
    return re.findall(r"([A-Za-z][\w/.\-]{0,80}): +(\S{1,60}?),?(?=\s|$)", text)


def mmengine(line: str, memory: Memory) -> Found | None:
    """MMEngine's and old mmcv's: `Epoch(train) [1][10/100] lr: … loss: …`; a validation stands where training stands."""
    match = _MMENGINE.search(line)
    if match is None or (match[1] == "Epoch" and not match[3]):
        return None
    fields = {name: spelled(text) for name, text in _fields(match[6])}
    values = {name: one for name, one in fields.items() if one is not None and not _MMENGINE_SKIP.match(name)}
    epoch, inner, total = int(match[3]) if match[3] else None, int(match[4]), int(match[5])
    if match[2] in ("val", "test"):
        stands = standing(memory, epoch)
        return Found(with_epoch(prefixed(values, match[2]), epoch), stands, is_epoch=True) if values else Found({})
    if not has_metric(values):
        return None
    if epoch is None:
        return Found(values, inner, told={"planned_steps": total})
    return Found(with_epoch(values, epoch), position(memory, "", epoch, inner, total))


def fairseq(line: str, memory: Memory) -> Found | None:
    """fairseq's columns and its `name=value` within an epoch; its JSON is read as any."""
    inner = _FAIRSEQ_INNER.search(line)
    match = None if inner else _FAIRSEQ.search(line)
    values = pairs(inner[4]) if inner else _words(match[4]) if match else {}
    done = re.search(r"num_updates[ =](\d{1,15})", line)
    if not has_metric(values):
        return None
    values.pop("num_updates", None)
    epoch = int((inner or match)[1])  # type: ignore[index]
    if inner:
        step = int(done[1]) if done else position(memory, "", epoch, int(inner[2]), int(inner[3]))
    else:
        step = int(done[1]) if done else standing(memory, epoch) or 0
    return Found(
        with_epoch(prefixed(values, "val" if match and match[2] else ""), epoch), step, is_epoch=not (inner or done)
    )


def _words(text: str) -> dict[str, float]:
    """`name number | name number`."""
    found = {}
    for column in text.split("|"):
        name, _, value = column.strip().partition(" ")
        one = spelled(value)
        if one is not None:
            found[named(name)] = one
    return found


class Family(NamedTuple):
    """A reader and a text that each of its lines holds, in lower case: what is asked first."""

    name: str
    token: str
    read: Callable[[str, Memory], Found | None]


FAMILIES = (
    Family("nanoGPT", "loss", nanogpt),
    Family("torchtune", "step ", torchtune),
    Family("Megatron", "iteration", megatron),
    Family("PyTorch examples", "loss", examples),
    Family("timm", "[", meters),
    Family("detectron2", "total_loss", detectron),
    Family("MMEngine", "][", mmengine),
    Family("MMEngine", "iter", mmengine),
    Family("MMEngine", "epoch(", mmengine),
    Family("fairseq", "| ", fairseq),
)
