"""Numbers and names in a line of a log: what counts as a number, how a metric is called, `name sep number` pairs. Pure.

False positives are worse than misses: a name without `:` or `=` behind it must be a metric's usual name.
"""

from __future__ import annotations

import math
import re

NUMBER = (
    r"[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,])|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,4})?"
    r"|(?:nan|NaN|NAN|inf|Inf|INF|infinity|Infinity)(?![A-Za-z]))"
)
_LONGEST = 40  # characters of a number; longer ones are hashes, keys, padding
_WRAPPED = re.compile(rf"(?:tensor|np\.float\d+|np\.int\d+|(?:jnp\.)?array)\(\s*({NUMBER})\s*(?:,[^()]{{0,60}})?\)")
_NAME = r"[A-Za-z][\w@/.\-]{0,80}(?:\([\w%]{1,8}\))?"
_END = r"(?![\w/:]|[.\-]\w|,\d|\s?/\s?\d)"  # not a version, date, time, path, ratio or a number with a unit
_PAIR = re.compile(
    r"(?<![\w./@\-])((?:(?i:val|valid|validation|train|training|test|eval|avg|average|mean|learning|grad|gradient|total|lm)"
    rf"[ _])?{_NAME})(\s{{0,8}}[:=]\s{{0,12}}|\s{{1,12}})({NUMBER})(\s?%)?{_END}"
)
SURE_WORDS = frozenset({
    "acc", "acc1", "acc5", "acc@1", "acc@5", "accuracy", "ap50", "ap75", "auc", "auroc", "bleu", "bpb", "bpc",
    "cer", "dice", "elbo", "f1", "f1score", "fid", "fscore", "gnorm", "iou", "jaccard", "kl", "kld", "loss",
    "losses", "lpips", "mae", "map50", "mape", "mcc", "miou", "mse", "nll", "nmse", "perplexity", "ppl", "psnr",
    "reward", "rewards", "rmse", "rouge", "ssim", "top1", "top5", "wer",
})  # fmt: skip
MAYBE_WORDS = frozenset({
    "ap", "cost", "entropy", "err", "error", "map", "objective", "precision", "r2", "recall", "return",
    "returns", "score",
})  # fmt: skip
_BARE_WORDS = frozenset({
    "bsz", "lr", "mfu", "ms", "num_updates", "tokens_per_second", "ups", "wpb", "wps",
})  # fmt: skip
_NOT_METRICS = frozenset({
    "batch", "batches", "date", "device", "elapsed", "epoch", "epochs", "eta", "global_step", "gpu", "id",
    "iter", "iteration", "iterations", "iters", "job", "level", "line", "local_rank", "max_steps", "memory",
    "node", "pid", "port", "rank", "remaining", "seed", "step", "steps", "thread", "time", "total_steps",
    "update", "updates", "v_num", "version", "worker", "world_size",
})  # fmt: skip
_WORDS = re.compile(r"[a-z0-9@]+")
_RENAMED = ((re.compile(r"^(?:valid|validation)_"), "val_"), (re.compile(r"^training_"), "train_"))


def number(text: str) -> float | None:
    """The number a text spells, thousands' commas and non-finite ones included; None when it spells none."""
    if len(text) > _LONGEST:
        return None
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def whole(text: str) -> int | None:
    """The whole number a text spells, within what the store holds."""
    value = number(text)
    if value is None or not math.isfinite(value) or value != int(value) or abs(value) >= 2**62:
        return None
    return int(value)


def named(name: str) -> str:
    """A metric's name in one spelling: lower case, `_` for spaces, val_ and train_ in front."""
    plain = re.sub(r"[\s]+", "_", name.strip().strip(".-:|,").lower())
    for pattern, start in _RENAMED:
        plain = pattern.sub(start, plain)
    return plain


def is_metric(name: str, value: float = 0.5) -> bool:
    """Whether a name says that a model was measured; a word of many uses does so only beside a fraction."""
    words = _WORDS.findall(name.lower())
    is_fraction = value != value or value in (math.inf, -math.inf) or value != int(value)
    return any(word in SURE_WORDS or (is_fraction and word in MAYBE_WORDS) for word in words)


def is_sure(name: str) -> bool:
    """Whether a name needs no `:` behind it to be a metric's."""
    return any(word in SURE_WORDS for word in _WORDS.findall(name))


def has_metric(values: dict[str, float]) -> bool:
    """Whether any of the values is a metric's."""
    return any(is_metric(name, value) for name, value in values.items())


def unwrapped(text: str) -> str:
    """`tensor(1.2, device='cuda:0')` and `np.float32(1.2)` become `1.2`."""
    return _WRAPPED.sub(r"\1", text) if "(" in text else text


def pairs(text: str) -> dict[str, float]:
    """Every `name: number`, `name=number`, and `name number` of a metric's usual name. A percentage stays as given."""
    found: dict[str, float] = {}
    for match in _PAIR.finditer(unwrapped(text)):
        name, sep, value = named(match[1]), match[2].strip(), number(match[3])
        if value is None or not name or name.rsplit("_", 1)[-1] == "step" or name in _NOT_METRICS:
            continue
        if sep or is_sure(name) or name in _BARE_WORDS:
            found.setdefault(name, value)
    return found


def spelled(text: str) -> float | None:
    """A field's whole text as a number: wrapped or with a percent sign too."""
    plain = unwrapped(text.strip()).removesuffix("%").strip()
    return number(plain) if re.fullmatch(NUMBER, plain) else None
