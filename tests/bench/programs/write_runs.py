"""Writes many small runs as event files: `… FOLDER RUNS`, five scalars each."""

import sys
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

folder, runs = Path(sys.argv[1]), int(sys.argv[2])
for number in range(runs):
    place = folder / str(number // 50) / str(number)
    place.mkdir(parents=True)
    with (place / f"events.out.tfevents.1700000000.host.1.{number}").open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=1.7e9, file_version="brain.Event:2").SerializeToString())
        for step in range(1, 6):
            value = Summary.Value(tag="loss", simple_value=1 / step)
            event = Event(wall_time=1.7e9 + step, step=step, summary=Summary(value=[value]))
            writer.write(event.SerializeToString())
print("null")
