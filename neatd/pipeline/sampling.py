"""Memory, processors and GPUs of the runs that go on, looked at every few seconds and kept as series of the run.

A sample stands at the step the run had come to; its time is its own. Rules that name these series look at them, at a
minute's samples at a time.
"""

from __future__ import annotations

import time

from neatd.models import Cursor, Line
from neatd.pipeline.scene import LiveRun, Scene, Stream
from neatd.read.gpu import GpuSample
from neatd.read.memory import Look, MemoryReader, look
from neatd.read.proctable import tree_of
from neatd.store import points, readings, sealing

SAMPLE_S = 10.0
BUDGET_S = 0.01  # of a turn
STREAM = "system"
SEAL_SAMPLES = 1024
JUDGED_SAMPLES = 6  # at once: each time the state of the detectors is written


def sample_runs(scene: Scene) -> None:
    """Look at the runs with a process whose time has come, each every ten seconds; a few at a time, so that no line of
    another run waits for a hundred of them."""
    now = scene.clock()
    due = [
        live
        for _, live in scene.open_runs()
        if live.next_sample <= now and not live.is_ended and live.run.process is not None
    ]
    if not due:
        return
    shared, gpus = look(), scene.gpu.sample(now)
    for live in due:
        live.next_sample = now + SAMPLE_S
        _sample(scene, live, now, shared, gpus)
        if scene.clock() - now > BUDGET_S:
            return


def _sample(scene: Scene, live: LiveRun, now: float, shared: Look, gpus: GpuSample) -> None:
    process = live.run.process
    assert process is not None
    if live.memory is None or live.memory.pid != process.pid:
        live.memory = MemoryReader(process.pid)
    sample = live.memory.sample(now, shared)
    if sample.rss_bytes is None:
        return  # it has gone: its end is told by its status
    pids = [row.pid for row in tree_of(shared.table, process.pid)]
    values = sample.values() | gpus.values() | gpus.of_processes(pids)
    _keep(scene, live, values)


def follow_samples(live: LiveRun, cursor: Cursor) -> Stream:
    """The samples of a run as a stream that rules look at; of one that has ended all are judged."""
    batch = 1 if live.is_ended else JUDGED_SAMPLES
    stream = live.streams[STREAM] = Stream(STREAM, STREAM, cursor.reading_id, cursor.seq, batch=batch)
    return stream


def _keep(scene: Scene, live: LiveRun, values: dict[str, float]) -> None:
    cursor = readings.cursor(scene.points, live.run.id, STREAM)
    seq = cursor.seq + 1
    after = cursor.model_copy(update={"seq": seq, "stream": STREAM, "format": STREAM})
    line = Line(seq, 1, live.last_step or 0, time.time(), values)
    # Written at no time: when the run's last line came is asked of the other sources.
    points.commit_lines(scene.points, live.run.id, STREAM, after, [line], [], 0.0, rank=9)
    stream = live.streams.get(STREAM) or follow_samples(live, cursor)
    stream.seq = seq
    if seq % SEAL_SAMPLES == 0:
        sealing.seal(scene.points, live.run.id, STREAM)
