"""predictions.jsonl: how the model did on single examples. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from neatd.models import Prediction
from neatd.read.metrics import BadLine, as_number, as_step, parse_object

LONGEST_TEXT = 2000  # characters kept of a prompt or an answer: enough to recognise it


def parse_predictions(lines: Iterable[tuple[int, bytes]]) -> tuple[list[Prediction], list[BadLine]]:
    """(predictions, unreadable lines). A line needs `step`, `id` and `correct`; `loss` and the texts may be missing."""
    good: list[Prediction] = []
    bad: list[BadLine] = []
    for seq, raw in lines:
        data = parse_object(raw)
        if isinstance(data, str):
            bad.append(BadLine(seq, data))
            continue
        step, correct = as_step(data.get("step")), data.get("correct")
        if step is None or "id" not in data or not isinstance(correct, bool | int):
            bad.append(BadLine(seq, "it lacks step (whole number), id or correct (true or false)"))
            continue
        loss = as_number(data.get("loss"))
        texts = (_text(data.get(name)) for name in ("prompt", "expected", "answer"))
        known = math.nan if loss is None else loss
        good.append(Prediction(seq, step, str(data["id"]), bool(correct), known, *texts))
    return good, bad


def _text(value: object) -> str | None:
    return None if value is None else str(value)[:LONGEST_TEXT]
