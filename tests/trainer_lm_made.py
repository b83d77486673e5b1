"""The trainer `lm` for tests: its program as a module, short runs of it in this process, and what they leave."""

from __future__ import annotations

import importlib.util
import io
import json
import signal
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the trainers need the extra `trainers`")
pytest.importorskip("numpy", reason="the trainers need the extra `trainers`")

FOLDER = Path(__file__).parents[1] / "trainers" / "lm"
TINY = ("data_mb=0.5", "dim=32", "layers=2", "context=32", "batch=8", "warmup=4", "lr=0.01", "threads=1", "device=cpu")
ENDLESS = (*TINY, "steps=1000000", "eval_every=0", "save_every=0")
SHORT = (*TINY, "steps=20", "eval_every=10", "save_every=5", "eval_windows=16")


def load_program() -> ModuleType:
    """train.py as a module: it is no part of a package, so it is loaded from its path."""
    spec = importlib.util.spec_from_file_location("lm_train", FOLDER / "train.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["lm_train"] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


train = load_program()


def run_here(out: Path, *parameters: str) -> tuple[int, str]:
    """(exit code, stdout) of the program in this process, which has loaded torch: that takes most of a short run."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    said = io.StringIO()
    try:
        with redirect_stdout(said):
            return train.main(["--out", str(out), *parameters]), said.getvalue()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def losses(out: Path) -> dict[int, float]:
    return {line["step"]: line["train/loss"] for line in read_lines(out / "metrics.jsonl") if "train/loss" in line}


def load(path: Path) -> dict[str, Any]:
    return torch.load(path, map_location="cpu", weights_only=True)


def flat(value: object) -> list[object]:
    """All leaves of nested dicts and lists in a fixed order, tensors as their bytes."""
    if isinstance(value, dict):
        return [leaf for key in value for leaf in (key, *flat(value[key]))]
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in flat(one)]
    return [value.numpy().tobytes() if isinstance(value, torch.Tensor) else value]
