"""What the daemon holds in memory: the open databases, the projects with their rules, the runs it follows.

Everything here can be dropped at any moment and made again from the store and the disk: no truth lives in it.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neatd.config import ProjectConfig, Settings
from neatd.models import ENDED, Cursor, GitState, ProcessFact, Project, Run
from neatd.pipeline.asker import Asker
from neatd.pipeline.datasets import Work
from neatd.pipeline.inboxfolders import Inbox
from neatd.read.checkpoint import RestWatch
from neatd.read.databases import Kind
from neatd.read.formats.patterns import Pattern
from neatd.read.formats.table import FORMATS
from neatd.read.gpu import GpuReader
from neatd.read.heads import Heads
from neatd.read.lastwords import LastWords
from neatd.read.memory import MemoryReader
from neatd.read.panes import Pane
from neatd.read.placed import Placed
from neatd.read.resultfiles import Stamp
from neatd.read.rows import Feed
from neatd.read.startdiff import StartDiff
from neatd.rules.judge import Judge
from neatd.rules.leases import Device
from neatd.rules.memory import Judgement, MemoryWatch
from neatd.rules.oom import MemoryEnd
from neatd.rules.schema import Rule
from neatd.rules.timing import RECENT, Gaps, Silence, silence_of

PANE_LOG = "pane.log"  # the source of a run whose pane is read
LOOK_SWEEPS = 2  # a run that grows is looked at in every second sweep: its files tell of themselves
LOOK_SHARE = 0.05  # of the time for which one is silent
LONGEST_LOOK_S = 20.0


def pane_log(home: Path, run_id: str) -> Path:
    """Where the lines of a run's pane are kept."""
    return home / "panes" / f"{run_id}.log"


@dataclass
class Source:
    """One file of a run, or the run's part of a database."""

    placed: Placed
    cursor: Cursor
    stamp: tuple[int, int, int] | None = None  # size, mtime in ns, inode at the last look
    still_since: float = 0.0  # monotonic: since when the stamp is the same
    is_due: bool = True
    is_tail_tried: bool = False
    is_gone: bool = False  # together with its folder, and that was said
    feed: Feed | None = None  # its parser, once it was read
    last_growth: float = 0.0  # monotonic; 0: not seen growing by this daemon
    gaps: Gaps = field(default_factory=Gaps)  # between its growths
    arrivals: deque[tuple[int, float]] = field(
        default_factory=lambda: deque(maxlen=RECENT)
    )  # (step, unix s) it grew to
    is_timed: bool = False  # its rows tell times

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.placed.path


@dataclass
class Stream:
    """Sources that go on from each other: their rows have one order, their series one history."""

    name: str
    format: str
    reading_id: str
    seq: int = 0  # the last ordinal used; of predictions the last one of a whole evaluation
    attempt: int = 1
    batch: int = 1  # so many rows are judged together, and not fewer
    step: int | None = None  # of predictions: of the last one that was read
    stands: dict[str, int] | None = None  # series -> the step it stands at; None: ask the store
    narrow: int = 0  # rows since it was sealed last
    judge: Judge | None = None
    judged_seq: int | None = None  # None: not looked up yet

    @property
    def is_judged(self) -> bool:
        """Whether rules look at it."""
        return FORMATS[self.format].is_judged

    @property
    def waits(self) -> bool:
        """Whether rows of it wait to be judged."""
        return self.is_judged and (self.judged_seq is None or self.seq - self.judged_seq >= self.batch)


@dataclass
class LiveRun:
    """A run that is followed."""

    run: Run
    folder: Path
    place: Path  # what has to be there while the run is: its folder, or the database that holds it
    inside: str = ""  # the run's key in that database
    sources: dict[str, Source] = field(default_factory=dict)  # by their path relative to the folder
    streams: dict[str, Stream] = field(default_factory=dict)
    last_growth: float = 0.0  # monotonic; 0: not seen growing by this daemon
    last_line_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    memory: MemoryReader | None = None
    memory_end: MemoryEnd | None = None  # how it ended for want of memory
    next_sample: float = 0.0
    pane: Pane | None = None  # where the run's only output is, for one that leaves no file
    pane_lines: list[str] | None = None  # what stood in it at the last look
    next_pane_read: float = 0.0
    last_step: int | None = None
    saves_due: bool = True
    is_thinning_due: bool = False  # it saved, or ended, since its checkpoints were thinned
    settling: frozenset[str] = frozenset()  # checkpoints seen and not yet complete, relative paths
    next_process_look: float = 0.0
    next_saves_look: float = 0.0
    next_look: float = 0.0
    next_vault: float = 0.0  # monotonic: when its best checkpoint is asked for again
    vault_stamp: object = None  # its saves and best values at that
    is_searched: bool = True  # the sweep that looks at it now looks for new files, too
    last_words: tuple[float, LastWords] | None = None  # of logs beside its sources; monotonic: when to look again
    next_pace: float = 0.0
    config_stamp: tuple[tuple[int, int] | None, str | None] = (None, None)  # of its file, and its job
    ends_seen: int = -1  # of `Queue.ends`: when its job was looked for last
    is_told: bool = True  # a source said something of the run that its record may not have yet

    @property
    def is_ended(self) -> bool:
        return self.run.status in ENDED

    @property
    def has_news(self) -> bool:
        """Whether something of the run waits to be read, catalogued or thinned."""
        return self.saves_due or self.is_thinning_due or self.is_unread

    @property
    def is_unread(self) -> bool:
        """Whether a source has more than was read."""
        return any(source.is_due for source in self.sources.values())

    @property
    def is_unjudged(self) -> bool:
        """Whether lines wait to be read or judged: an event among them may want a checkpoint that is there now."""
        return self.is_unread or any(stream.waits for stream in self.streams.values())

    @property
    def has_work(self) -> bool:
        """Whether something of the run waits to be read, judged or catalogued."""
        return self.has_news or any(stream.waits for stream in self.streams.values())

    def is_awake(self, now: float, sweep_s: float) -> bool:
        """Whether a sweep looks at the run: rarer the longer it is silent, three times a minute at the least; one with a
        process is always asked whether that lives."""
        if self.is_ended:
            return False
        self.is_searched = now >= self.next_look
        if self.is_searched:
            self.next_look = now + min(
                LONGEST_LOOK_S, max(LOOK_SWEEPS * sweep_s, LOOK_SHARE * (now - self.last_growth))
            )
        return self.is_searched or bool(self.run.job_id or self.run.process)

    def look_by(self, moment: float) -> None:
        """Something happened to it: a sweep looks at it no later than then."""
        self.next_look = min(self.next_look, moment)

    def silence(self, stall_s: float) -> Silence:
        """How long a silence is usual for the run: by the source that is silent the least, once that is known of one."""
        found = [silence_of(source.gaps, stall_s) for source in self.sources.values() if len(source.gaps.recent) > 2]
        return min(found, key=lambda one: one.limit_s, default=silence_of(Gaps(), stall_s))


@dataclass
class DatabaseLook:
    """What was seen last of a database of another program."""

    kind: Kind
    stamp: object = None
    marks: dict[str, str] = field(default_factory=dict)  # run inside -> its mark when it was polled


@dataclass
class LiveProject:
    """A registered folder with its configuration and rules as last loaded without a mistake."""

    project: Project
    root: Path
    config: ProjectConfig
    rules: tuple[Rule, ...] = ()
    patterns: tuple[Pattern, ...] = ()  # how the project and the user say their logs are read
    config_stamp: tuple[object, ...] = ()
    rules_stamp: tuple[object, ...] = ()
    patterns_stamp: tuple[object, ...] = ()
    next_survey: float = 0.0
    looks_again: bool = False  # something was being written at the last walk: the next one comes with the next sweep
    folders: tuple[Path, ...] = ()
    heads: Heads = field(default_factory=Heads)
    has_events: bool = False  # its file system tells of changes
    databases: dict[Path, DatabaseLook] = field(default_factory=dict)
    runs: dict[str, LiveRun] = field(default_factory=dict)
    git_marks: tuple[int, ...] = ()
    start_diff: tuple[float, StartDiff] | None = None  # likewise of what is not committed
    git: tuple[float, GitState] | None = None  # when it was asked for (monotonic), and what it was
    is_stale: bool = True  # the brief no longer says what the store holds
    rendered_at: float = 0.0
    rendered_s: float = 0.0  # how long the last brief took
    next_render: float = float("inf")
    is_told: bool = True  # records changed since the plan, the documents and the copies were brought up to date
    next_keeping: float = 0.0
    kept_s: float = 0.0  # how long the last keeping took
    note_stamps: dict[Path, tuple[int, int, int]] = field(default_factory=dict)
    results_seen: dict[str, Stamp] = field(default_factory=dict)
    data_work: Work | None = None
    next_attending: float = 0.0
    files_taken: dict[str, float] = field(default_factory=dict)  # session -> when git was asked for its files

    def folder_name(self, folder: Path) -> str:
        """A run's folder relative to the project, with forward slashes; "" for the project's own folder."""
        relative = folder.relative_to(self.root).as_posix()
        return "" if relative == "." else relative

    def run_around(self, path: Path) -> LiveRun | None:
        """The run whose folder is the nearest at or above `path`."""
        for folder in (path, *path.parents):
            if folder == self.root.parent:
                return None
            live = self.runs.get(self.folder_name(folder))
            if live is not None:
                return live
        return None


@dataclass
class MachineMemory:
    """What is known of the machine's memory while something runs, or waits to be started."""

    watch: MemoryWatch | None = None  # None while nothing does
    now: Judgement | None = None
    high: tuple[float, Judgement] | None = None  # the last HIGH, and when (monotonic)
    next_look: float = 0.0
    next_write: float = 0.0  # of the state file
    is_waiting: bool = False  # a job waits for room
    own_groups: list[Path] | None = None  # around this process
    root: Path = Path("/")  # where the machine's files lie


@dataclass
class Queue:
    """What the daemon remembers of the queue from turn to turn."""

    is_new: bool = True  # nothing was looked at yet: what a crash left is made good
    is_due: bool = True  # something changed: one that waits may begin, perhaps
    ends: int = 0  # jobs that ended under this daemon
    begun: dict[str, float] = field(
        default_factory=dict
    )  # job -> when its shim was started (monotonic), till it tells so
    children: list[int] = field(default_factory=list)  # that started shims, and leave at once
    devices: object = (
        None  # what decided of GPUs when the queue was last looked at; None: there are none, or nothing waits
    )
    known: dict[str, Device] = field(default_factory=dict)  # the devices of the last look, by key
    cpu_slots: int = 0  # by which was decided
    not_before: float = 0.0  # monotonic: the disk was full
    machine: str = ""  # what was written of it for the commands


@dataclass
class Drops:
    """What the daemon remembers of the inboxes from turn to turn."""

    folders: tuple[Inbox, ...] = ()  # as of the last sweep
    is_waiting: bool = False  # something lies there that may not be whole yet, or was too much for one look


@dataclass
class Searches:
    """What the daemon remembers of the studies from turn to turn."""

    asker: Asker = field(default_factory=Asker)
    live: dict[str, Any] = field(default_factory=dict)  # study -> its LiveStudy in `pipeline/studying.py`
    next_look: float = 0.0


@dataclass
class Scene:
    """The daemon's whole memory, handed to each step."""

    home: Path
    settings: Settings
    records: sqlite3.Connection
    points: sqlite3.Connection
    rest: RestWatch
    projects: dict[str, LiveProject] = field(default_factory=dict)  # by root
    open: dict[int, tuple[LiveProject, LiveRun]] = field(default_factory=dict)  # runs that have not ended, by id()
    data_version: int = -1
    trouble: str = ""  # what keeps the daemon from its work now, e.g. a full disk
    paused_until: float = 0.0
    gpu: GpuReader = field(default_factory=GpuReader)
    memory: MachineMemory = field(default_factory=MachineMemory)
    queue: Queue = field(default_factory=Queue)
    searches: Searches = field(default_factory=Searches)
    drops: Drops = field(default_factory=Drops)
    asked: dict[str, str] = field(default_factory=dict)  # jobs of maintenance that were asked for: request id -> job
    has_orders: bool = False  # this process wrote requests, or ends a run: they are looked at with the next turn
    paused: tuple[dict[str, str], ...] = ()  # what holds up jobs, as `neatd status` shows it
    is_lasting: bool = True  # what has to wait can wait: this is a daemon, and no command
    next_pane_look: float = 0.0
    met: deque[tuple[LiveProject, LiveRun, ProcessFact]] = field(
        default_factory=deque
    )  # processes to be looked at closely
    clock: Callable[[], float] = time.monotonic
    today: Callable[[], datetime] = lambda: datetime.now(UTC)  # what dates saves and what is thinned; UTC

    def live_runs(self) -> Iterable[tuple[LiveProject, LiveRun]]:
        """Every followed run with its project."""
        for project in self.projects.values():
            for live in project.runs.values():
                yield project, live

    def open_runs(self) -> Iterable[tuple[LiveProject, LiveRun]]:
        """The runs that have not ended, as of the last turn that asked all of them."""
        return self.open.values()

    def find_open(self) -> None:
        """Ask every run whether it has ended."""
        self.open = {id(live): (project, live) for project, live in self.live_runs() if not live.is_ended}

    def note_open(self, project: LiveProject, live: LiveRun) -> None:
        """Bring `open` up to date with one run."""
        if live.is_ended:
            self.open.pop(id(live), None)
        else:
            self.open[id(live)] = project, live

    def others_changed_records(self) -> bool:
        """Whether another process committed to neat.db since the last call. A few microseconds."""
        version = int(self.records.execute("PRAGMA data_version").fetchone()[0])
        changed, self.data_version = version != self.data_version, version
        return changed
