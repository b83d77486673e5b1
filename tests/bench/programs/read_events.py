"""Reads all scalars of an event file: `… tensorboard|tbparse FOLDER`; prints seconds and how many points it found."""

import json
import sys
import time

which, folder = sys.argv[1:]
if which == "tensorboard":
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    begun = time.perf_counter()
    read = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 1}).Reload()
    count = sum(len(read.Scalars(tag)) for tag in read.Tags()["scalars"])
else:
    from tbparse import SummaryReader

    begun = time.perf_counter()
    count = len(SummaryReader(folder, event_types={"scalars"}).scalars)
print(json.dumps({"seconds": time.perf_counter() - begun, "points": count}))
