"""The batches of the trash: where they lie, and to which one a thinning of the daemon's own belongs.

What the daemon thins by itself is one batch a run and day, so that a day of saves is one thing to bring back and not a
thousand. What a person asks for, and a job of maintenance, is a batch by itself.
"""

from __future__ import annotations

import os
import re
from datetime import datetime
from itertools import count
from pathlib import Path

from neatd.actions.trash import trash_folder
from neatd.models import Run
from neatd.policy import RetentionPlan

_DAY = re.compile(r"\d{4}-\d\d-\d\d-")


def trash_of(run: Run) -> Path:
    """Where the batches lie of what goes of a run."""
    return trash_folder(Path(run.root), Path(run.root) / run.folder)


def day_batch(run: Run, agreed: RetentionPlan, now: datetime) -> str:
    """The batch of what the daemon thins of a run on this day: `2026-11-22-r-9x4k…`; with the next number behind it where
    a place in it is taken, as by a checkpoint of the same name that went before."""
    day, trash = f"{now.astimezone():%Y-%m-%d}-{run.id}", trash_of(run)
    mains = [Path(run.folder) / one.checkpoint.path for one in agreed.delete]
    parts = [
        main.with_name(name) for main, one in zip(mains, agreed.delete, strict=True) for name in one.checkpoint.parts
    ]
    batches = (day if number == 1 else f"{day}-{number}" for number in count(1))
    return next(one for one in batches if not any(os.path.lexists(trash / one / place) for place in (*mains, *parts)))


def is_day_batch(batch: str) -> bool:
    """Whether a batch is what the daemon thinned of a run on a day."""
    return bool(_DAY.match(batch))
