"""What a log says about its run besides numbers: device, parameters, samples, how long it will be. Pure."""

from __future__ import annotations

import re

from neatd.read.formats.lognumbers import whole
from neatd.read.formats.logsteps import Memory
from neatd.read.rows import Told

LONGEST = 500  # characters of a line that says such things
_DEVICE = re.compile(
    r"(?i)^\W{0,4}(?:.{0,60}[\s\]|-])?(?:using device|using|running on|training on|device)\s?[:=]?\s{1,4}['\"]?"
    r"(cuda(?::\d{1,3})?|mps|cpu|xpu|tpu|hpu)(?=['\"\s.,)]|$)(?! cores)"
)
_LIGHTNING = re.compile(r"^(?:.{0,60}\s)?GPU available: (True|False)(?: \((\w{1,20})\))?, used: (True|False)")
_COUNT = r"(\d[\d,]{0,20}(?:\.\d{1,6})?)\s?([KMBT](?:illion)?\b)?"
_PARAMS = re.compile(
    rf"(?i)(?:(?:number of|total|trainable|#)\s?(?:trainable |model |learnable )?(?:parameters|params)\s?[:=]\s{{0,30}}{_COUNT}"
    rf"|\b(?:model has|with)\s{_COUNT}\s(?:trainable |learnable )?(?:parameters|params)\b"
    rf"|^{_COUNT}\s{{1,20}}(?:total|trainable) params$)"
)
_IN_NUMBER = re.compile(r"(?i)number of parameters on \(tensor, pipeline\)")
_SCALE = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_BANNER = re.compile(r"\*{3,} Running (\w+)")
_NUMBERED = re.compile(r"(?:^|\s)(Num examples|Num Epochs|Total optimization steps)\s?=\s?([\d,]{1,20})$")


def told_of(line: str, memory: Memory) -> Told:
    """What the line says; {} for nearly every line."""
    if len(line) > LONGEST:
        return {}
    low = line.lower()
    if "***" in low and (banner := _BANNER.search(line)):
        memory["banner"] = banner[1].lower()
    if " = " in low and (numbered := _NUMBERED.search(line)):
        return _of_trainer(numbered, memory)
    if "param" in low:
        return _of_parameters(line)
    if "gpu available" in low and (lightning := _LIGHTNING.match(line)):
        return {"device": lightning[2] or "cuda"} if lightning[3] == "True" else {"device": "cpu"}
    if ("using" in low or "device" in low or "ing on" in low) and (device := _DEVICE.search(line)):
        return {"device": device[1].lower()}
    return {}


def _of_trainer(match: re.Match[str], memory: Memory) -> Told:
    """transformers' banner; that of an evaluation counts other examples."""
    count = whole(match[2])
    if count is None or memory.get("banner") != "training":
        return {}
    if match[1] == "Num examples":
        return {"samples": count}
    return {"planned_epochs": float(count)} if match[1] == "Num Epochs" else {"planned_steps": count}


def _of_parameters(line: str) -> Told:
    match = None if _IN_NUMBER.search(line) else _PARAMS.search(line)
    if match is None:
        return {}
    digits, scale = next((match[n], match[n + 1]) for n in (1, 3, 5) if match[n])
    try:
        count = round(float(digits.replace(",", "")) * _SCALE[(scale or "")[:1].lower()])
    except ValueError:
        return {}
    return {"params": count} if 0 < count < 2**62 else {}
