"""Score a checkpoint of train.py on the validation windows.

    python eval.py --checkpoint FILE [windows=64] [device=auto] [dtype=auto] [threads=0]

The text is that of the run the checkpoint is of, so the scores are comparable with those in its metrics.jsonl.
The last line of the output is a JSON object: the step of the checkpoint, and the scores.
"""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from train import GPT, Parameters, convert, evaluate, fail, pick_device, read_corpus

DEFAULTS: dict[str, Any] = {"windows": 64, "device": "auto", "dtype": "auto", "threads": 0}


def parse(argv: list[str]) -> tuple[Path, dict[str, Any]]:
    """The checkpoint and what was set of DEFAULTS."""
    path, given, words = "", dict(DEFAULTS), iter(argv)
    for word in words:
        key, _, text = word.removeprefix("--").partition("=")
        if key == "checkpoint":
            path = text or next(words, "")
        elif key in DEFAULTS:
            given[key] = convert(key, text, DEFAULTS[key])
        else:
            fail(f"unknown parameter {key}", f"there are: checkpoint {' '.join(DEFAULTS)}")
    if not Path(path).is_file():
        fail(f"no checkpoint {path!r}", "python eval.py --checkpoint FILE [key=value ...]")
    return Path(path), given


def load(path: Path) -> dict[str, Any]:
    """What train.py saved. `weights_only`: a checkpoint is data, and runs no code when it is read."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        return {name: saved[name] for name in ("step", "config", "model")}
    except (OSError, RuntimeError, pickle.UnpicklingError, LookupError, TypeError) as error:
        fail(f"{path} is no checkpoint of this trainer: {str(error).partition('. ')[0][:200]}", "name one of its own")


def score(path: Path, windows: int, device: str, dtype: str) -> dict[str, float]:
    """The checkpoint's step, and its scores on evenly spread windows of the validation text."""
    saved = load(path)
    known = {field.name for field in fields(Parameters)}
    of_run = {name: value for name, value in saved["config"].items() if name in known}
    # The validation text does not depend on `data`, whose file may be gone by now.
    p = Parameters(**of_run | {"device": device, "dtype": dtype, "eval_windows": windows, "data": ""})
    device, dtype = pick_device(p)
    model = GPT(p).to(device)
    model.load_state_dict(saved["model"])
    _, val = read_corpus(p)
    with torch.autocast(device, dtype=torch.bfloat16, enabled=dtype == "bfloat16"):
        values, predictions = evaluate(model.eval(), val, torch.from_numpy(val.data).to(device), p)
    exact = sum(one["correct"] for one in predictions) / len(predictions)
    return {"step": saved["step"], **values, "val/exact": exact, "windows": len(predictions)}


def main(argv: list[str]) -> int:
    """Score and print. A mistake exits with 2."""
    path, given = parse(argv)
    if threads := given.pop("threads"):
        torch.set_num_threads(threads)
    values = score(path, **given)
    print(f"{path.name}: {values['val/bits_per_byte']:.3f} bits per unseen byte, {values['val/accuracy']:.0%} right")
    print(json.dumps(values), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
