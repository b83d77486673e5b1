"""Points of several series as columns, taken one after the other as they were written. Pure.

Loaded only when a backlog is judged: with it comes numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from neatd.models import Sample
from neatd.rules.batch import Column


def samples_in_order(columns: Sequence[Column]) -> Iterator[tuple[str, Sample]]:
    """(name of the series, point) by ordinal and name, in Python's numbers."""
    named = sorted((one for one in columns if len(one.seqs)), key=lambda one: one.name)
    if not named:
        return
    of = np.concatenate([np.full(len(one.seqs), number) for number, one in enumerate(named)])
    parts = [[getattr(one, part) for one in named] for part in ("seqs", "attempts", "steps", "values", "times")]
    seqs, attempts, steps, values, times = (np.concatenate(part) for part in parts)
    order = np.lexsort((of, seqs))
    cells = zip(*(one[order].tolist() for one in (of, seqs, attempts, steps, values, times)), strict=True)
    for number, seq, attempt, step, value, time in cells:
        yield named[number].name, Sample(seq, attempt, step, value, None if time != time else time)
