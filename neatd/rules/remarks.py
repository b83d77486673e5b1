"""Columns that somebody wrote beside the parameters of an experiment: they tell how it went, not how it was set up. Pure."""

from __future__ import annotations

import re

from neatd.rules.commandline import Value

_REMARKS = frozenset(
    {
        "comment", "comments", "remark", "remarks", "note", "result", "results", "outcome", "verdict", "status", "state",
        "description", "title", "id", "trial", "number", "hours", "cost_hours", "gpu_hours", "time_h", "duration",
        "duration_h", "runtime", "wall_time", "owner", "who", "author", "epoch_time", "best_epoch", "best_step", "more",
        "experiment", "branch", "day", "when", "vram", "memory", "gpu_memory", "machine",
    }
)  # fmt: skip
_MEASURE = re.compile(
    r"(?:^|[\s_/.-])(?:val|valid|validation|test|eval|best|final)[\s_/.-]"
    r"|^(?:train[\s_/.-]?)?(?:loss|dice|acc|accuracy|f1|auc|iou|miou|ppl|perplexity|bleu|wer|reward|score)$",
    re.I,
)
_SETTING = re.compile(
    r"(?:every|interval|steps?|batch|size|split|fraction|ratio|freq|path|data|set|dir|file|weight|coef|scale|lambda)$",
    re.I,
)


def is_remark(name: str, value: Value) -> bool:
    """Whether a column is no parameter: a comment, hours, a measured number."""
    leaf = re.sub(r"[\s-]+", "_", name.strip().lower()).rsplit(".", 1)[-1]
    if leaf in _REMARKS:
        return True
    is_number = isinstance(value, int | float) or str(value).lower() in ("nan", "inf", "-inf")
    return is_number and bool(_MEASURE.search(name)) and not _SETTING.search(leaf)
