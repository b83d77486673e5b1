"""The daemon's loop: six named calls, each guarded, so that one broken run never harms another.

A failed step is an event with its traceback, and the step is tried again later: cursors move only with what they
count, so nothing is lost. Only a broken store ends the program.
"""

from __future__ import annotations

import logging
import sqlite3
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from neatd.errors import StoreError
from neatd.files import IGNORED_FOLDERS, REMOTE, is_ignored
from neatd.pipeline import (
    acting,
    asking,
    facts,
    finding,
    following,
    inbox,
    jobinbox,
    judging,
    knowing,
    memory,
    paning,
    processes,
    queueing,
    reading,
    rendering,
    retaining,
    sampling,
    saving,
    studying,
    vaulting,
    verdicts,
    watching,
)
from neatd.pipeline.alerting import Alerting
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.place import PROJECT_FILE
from neatd.read.discover import is_source
from neatd.store import events, requests
from neatd.store.damage import damaged_path, is_damage, unreadable
from neatd.store.opened import OpenedFiles
from neatd.watch.observer import Watcher

log = logging.getLogger(__name__)
_OURS = frozenset({"rules", "patterns", "inbox", "templates"})  # in .neat: what a person changes there
POLL_S = 0.5  # requests and records of other processes are noticed within this
SAVES_LOOK_S = 30.0
FULL_DISK_PAUSE_S = 5.0
FULLY_WATCHED = 10  # so many times rarer is a project walked when each of its folders tells of changes
JUDGE_LAG_S = 1.0  # a backlog that is read goes unjudged for no longer
JUDGE_EVERY_S = 0.4  # the state of the detectors is written each time
JUDGE_SLICE_S = 0.01  # of many runs' single lines so much is judged before new lines are looked for; or half a turn
MOST_TOLD = 500  # verdicts of a turn, then no more runs are judged: writing takes 1 ms each, and a note waits for it
KEEP_SHARE = 20  # keeping knowledge for t seconds is done again after 20 t


class Loop:
    """Takes hints and the time, moves everything one step forward."""

    def __init__(self, scene: Scene, watcher: Watcher) -> None:
        self.scene = scene
        self.watcher = watcher
        self.alerts = Alerting(scene)
        self.opened = OpenedFiles(scene.home)
        self.next_sweep = 0.0
        self.awake: set[int] = set()  # the runs that this turn's sweep looks at, by id()
        self.turn: list[tuple[LiveProject, LiveRun]] = []
        self.stirred: dict[int, tuple[LiveProject, LiveRun]] = {}  # what a hint named, or the last turn left undone
        self.is_whole_due = True  # every run is asked whether there is something to do
        self.is_snapshot_waiting = False
        self.are_orders_due = self.are_watches_due = True
        self.judged_at = float("-inf")
        self.is_judging = False  # lines were left by the last judging
        self.turn_s = 0.0  # what the last turn took
        self.is_shaken = False  # the store failed since the last turn
        self.should_end: Callable[[], bool] = lambda: False  # asked between runs, so that a stop does not wait for all
        self.beat: Callable[[], None] = lambda: (
            None
        )  # called at each part of a turn: one that hangs is noticed by silence

    def prepare(self) -> None:
        """What a start needs: moves that a crash interrupted are settled, all projects are walked once."""
        self._guard("the trash", retaining.settle_after_crash, self.scene.records)
        self._guard("projects", finding.refresh_projects, self.scene)
        self._guard("the queue", queueing.prepare, self.scene)
        self._find(is_sweep=True)
        self._guard("watches", self._watch)

    def step(self, hints: Iterable[Path]) -> float:
        """One turn. Returns how many seconds may pass until the next one, hints aside."""
        now = self.scene.clock()
        if now < self.scene.paused_until:
            return self.scene.paused_until - now
        self.scene.trouble = ""
        if self.is_shaken:  # a rename whose outcome could not be written down, perhaps
            self.is_shaken = False
            self._guard("the trash", retaining.settle_after_crash, self.scene.records)
            for project in self.scene.projects.values():
                project.next_survey = 0.0  # the walk failed too, perhaps, and the hints that came meanwhile are gone
        is_sweep = now >= self.next_sweep
        if is_sweep:
            self.next_sweep = now + self.scene.settings.sweep_s
            self.opened.check()
        if self.watcher.has_lost():
            log.warning("events were lost: all folders are walked")
            for project in self.scene.projects.values():
                project.next_survey = 0.0
        self.awake = (
            {id(live) for _, live in self.scene.open_runs() if live.is_awake(now, self.scene.settings.sweep_s)}
            if is_sweep
            else set()
        )
        self._guard("orders", self._take_orders)
        # Before the queue: a data file is where its job looks for it when that begins.
        hints = list(hints)
        self.are_watches_due |= bool(self._guard("inboxes", jobinbox.turn, self.scene, hints, is_sweep, self._guard))
        is_starting = self._guard("the queue", queueing.turn, self.scene, is_sweep, self._guard)
        self._guard("hints", self._follow_hints, hints)
        has_walked = self._find(is_sweep)
        if self.are_watches_due:
            self._guard("watches", self._watch)
        if has_walked or self.is_whole_due:
            self.scene.find_open()
        self.turn = self._to_do(is_sweep, is_whole=has_walked or self.is_whole_due)
        self.is_whole_due = False
        has_more = self._read()
        self._note_work(self.turn)
        # What is read is seen before a long backlog is judged, and single lines are judged some at a time.
        lag_s = now - self.judged_at
        if self.is_judging or lag_s > (JUDGE_LAG_S if has_more else JUDGE_EVERY_S):
            self.judged_at, self.is_judging = now, self._judge()
        has_more |= self.is_judging
        self._act(is_sweep)
        self._guard("alerts", self.alerts.turn, is_sweep)
        has_more |= bool(self._guard("studies", studying.turn, self.scene, self._guard))
        if is_sweep:
            self._keep_knowledge()
        for project, live in self.turn:
            self.scene.note_open(project, live)
        self._note_work(self.turn)
        has_more |= self._hash(is_sweep) | bool(is_starting)
        self.turn_s = self.scene.clock() - now
        for project in rendering.due(self.scene, has_more):
            self._guard(f"brief of {project.root}", rendering.write_brief, self.scene, project)
        return 0.0 if has_more else POLL_S / 2 if self.is_snapshot_waiting else POLL_S

    def _to_do(self, is_sweep: bool, is_whole: bool) -> list[tuple[LiveProject, LiveRun]]:
        """The runs of this turn. Of those that have ended only the stirred ones: thousands at rest cost nothing."""
        if is_whole:
            self._note_work(list(self.scene.live_runs()))
        wanted = (self.stirred | self.scene.open if is_sweep or is_whole else self.stirred).values()
        return [(p, live) for p, live in wanted if live.has_news or id(live) in self.awake]

    def _note_work(self, runs: Iterable[tuple[LiveProject, LiveRun]]) -> None:
        """Those with something left to do are in the next turn too, or are judged."""
        for project, live in runs:
            if live.has_work:
                self.stirred[id(live)] = project, live
            else:
                self.stirred.pop(id(live), None)

    # ---- the six ----

    def _take_orders(self) -> None:
        """What other processes wrote: projects, requests, records, consents."""
        self.are_orders_due |= self.scene.others_changed_records() | memory.has_room_again(self.scene)
        self.scene.queue.is_due |= self.are_orders_due
        if not (self.are_orders_due or self.scene.has_orders):
            return
        before = set(self.scene.projects)
        if self.are_orders_due:
            finding.refresh_projects(self.scene)
        if set(self.scene.projects) != before:  # the runs of one that is let go are followed no more
            self.stirred.clear()
            self.is_whole_due = True
        self.scene.has_orders = False
        for request in asking.due(self.scene):
            is_done = self._guard(f"request {request.id}", asking.carry_out, self.scene, request)
            if self.is_shaken:
                return  # a busy or full store is no fault of the request: it waits for the next turn
            if is_done is None:
                failed = {"error": "it failed", "hint": "`neat events` and `neatd logs` tell why"}
                requests.set_request(self.scene.records, request.id, "failed", failed)
        asking.note_pauses(self.scene)
        if not self.are_orders_due:
            return
        for project in self.scene.projects.values():
            project.is_stale = project.is_told = True
            self._guard("evidence", knowing.settle, self.scene, project)
            verdicts.decide_hypotheses(self.scene, project)
        self.are_orders_due = False  # only now: what a busy or full store stopped is still due

    def _find(self, is_sweep: bool) -> bool:
        """Walk the projects whose time has come; new runs are followed from here on. True when one was walked."""
        now = self.scene.clock()
        due = [project for project in self.scene.projects.values() if now >= project.next_survey]
        for project in due:
            self._walk(project, now)
        if is_sweep:
            for project in self.scene.projects.values():
                if project not in due:
                    self._glance(project)
        return bool(due)

    def _walk(self, project: LiveProject, now: float) -> None:
        before, folders = len(project.runs), project.folders
        self._guard(f"survey of {project.root}", finding.survey_project, self.scene, project)
        self._guard("inbox", inbox.take_inbox, self.scene, project)
        for live in project.runs.values():
            reading.look(self.scene, live)
        if project.folders != folders or len(project.runs) != before:
            self.are_watches_due = True  # a folder is there before the first file of its run
        # Where every folder tells of its changes a walk finds what a lost event hid, and can wait the longer it takes.
        times = FULLY_WATCHED if self._is_watched(project) else 1
        pause_s = min(finding.WALK_SHARE * (self.scene.clock() - now), self.scene.settings.full_sweep_s) * times
        project.next_survey = max(project.next_survey, now + pause_s)
        if project.looks_again:
            project.next_survey = min(project.next_survey, self.scene.clock() + self.scene.settings.sweep_s)

    def _glance(self, project: LiveProject) -> None:
        """What a sweep looks at between walks: the runs that are awake, and databases."""
        for owner, live in self.scene.open_runs():
            if owner is project and id(live) in self.awake:
                reading.look(self.scene, live)
        for database in list(project.databases):
            self._look_into(project, database)

    def _look_into(self, project: LiveProject, database: Path) -> None:
        """A database's runs; one that had ended and goes on is looked at again in this turn."""
        if self._guard(str(database), finding.follow_database, self.scene, project, database):
            due = [live for live in project.runs.values() if live.place == database and live.has_work]
            self.stirred |= {id(live): (project, live) for live in due}

    def _is_watched(self, project: LiveProject) -> bool:
        return project.has_events and not any(folder in self.watcher.refused for folder in project.folders)

    def _read(self) -> bool:
        """Lines into points, a turn per source, so that a long file does not hold up the others."""
        has_more = False
        for project, live in self._runs():
            if id(live) in self.awake and live.is_searched:
                self._guard(live.run.name, finding.look_for_sources, self.scene, project, live)
                self._guard(live.run.name, facts.refresh_facts, self.scene, project, live)
            if any(source.is_due for source in live.sources.values()):
                has_more |= bool(self._guard(live.run.name, reading.read_due, self.scene, project, live))
            if live.is_told:  # before its status: an old run that just was found ends in this very turn
                self._guard(live.run.name, facts.refresh_facts, self.scene, project, live)
                live.look_by(0.0)  # how it ended, perhaps
        return has_more

    def _judge(self) -> bool:
        """Points into verdicts, which may run behind. What is judged in a turn is written together. True: some are left."""
        found: list[judging.Judged] = []
        is_cut, told, until = False, 0, self.scene.clock() + max(JUDGE_SLICE_S, self.turn_s / 2)
        for project, live in list(self.stirred.values()):
            if self.should_end() or (is_cut := bool(found) and (told > MOST_TOLD or self.scene.clock() > until)):
                break
            some = self._guard(live.run.name, judging.judge_run, self.scene, project, live) or ()
            found += some
            told += sum(len(one.verdicts) for one in some)
        if (
            found
            and not self.is_shaken
            and self._guard("verdicts", self._keep_judged, found) is None
            and not self.is_shaken
        ):
            for one in found:  # something in one of them cannot be written: the others are not held up by it
                self._guard(one.live.run.name, judging.keep_judged, self.scene, [one])
        for one in found:  # the next lines of these come after those of the others
            self.stirred.pop(id(one.live), None)
        self._note_work((one.project, one.live) for one in found)
        return is_cut or any(one.upto < one.stream.seq for one in found)

    def _keep_judged(self, found: list[judging.Judged]) -> bool:
        self.scene.has_orders |= judging.keep_judged(self.scene, found)  # what rules ask for is carried out
        return True

    def _act(self, is_sweep: bool) -> None:
        """Saves into the catalogue, statuses, snapshots, retention."""
        if is_sweep:
            self._guard("processes", processes.look_for_processes, self.scene)
            self._guard("panes", paning.look_into_panes, self.scene)
        self._guard("processes", processes.describe_met, self.scene)
        self._guard("samples", sampling.sample_runs, self.scene)
        self._guard("memory", memory.watch_memory, self.scene)
        for project, live in self._runs():
            self._guard(live.run.name, self._act_on, project, live)
        self.is_snapshot_waiting = bool(self._guard("snapshots", acting.take_snapshots, self.scene))

    def _keep_knowledge(self) -> None:
        """Notes, plan, results, documents, table, copy: later the longer they took, five percent of a core at the most."""
        for project in self.scene.projects.values():
            begun = self.scene.clock()
            if begun < project.next_keeping or not project.root.is_dir():
                continue
            for name, keep in knowing.PARTS.items():
                self._guard(f"{name} of {project.root}", keep, self.scene, project)
            took = self.scene.clock() - begun
            usual = min(
                took, project.kept_s
            )  # one that was slow, as the first that loads what it needs, is not the rule
            project.kept_s = took
            project.next_keeping = begun + min(KEEP_SHARE * usual, self.scene.settings.full_sweep_s)

    def _hash(self, is_sweep: bool) -> bool:
        """Data files, a little at a time; True while there is more of one to read."""
        has_more = False
        for project in self.scene.projects.values():
            if is_sweep or (project.data_work and project.data_work.is_busy):
                has_more |= bool(self._guard(f"data of {project.root}", knowing.hash_data, self.scene, project))
        return has_more

    def _act_on(self, project: LiveProject, live: LiveRun) -> None:
        now = self.scene.clock()
        has_saves = False
        is_looked_at = id(live) in self.awake
        if live.saves_due or (is_looked_at and now >= live.next_saves_look):
            live.next_saves_look = now + SAVES_LOOK_S
            has_saves = saving.keep_saves(self.scene, project, live)
            project.is_stale = project.is_stale or has_saves
        is_asked = is_looked_at or live.is_ended or live.run.status == "starting"
        has_ended = is_asked and self._has_ended(project, live)
        if has_ended:
            saving.put_at_rest(self.scene, live)
            verdicts.decide_hypotheses(self.scene, project)
        self._guard(live.run.name, vaulting.keep_bests, self.scene, project, live)
        live.is_thinning_due |= has_saves or has_ended
        if live.is_thinning_due and not live.is_unjudged:
            live.is_thinning_due = False
            acting.retain(self.scene, project, live)

    def _has_ended(self, project: LiveProject, live: LiveRun) -> bool:
        """Whether the run just ended. Its last lines are read first: a process ends after it wrote them."""
        if not live.is_ended:
            reading.look(self.scene, live)
            if any(source.is_due for source in live.sources.values()):
                return False
        return following.refresh_status(self.scene, project, live)

    def _runs(self) -> Iterator[tuple[LiveProject, LiveRun]]:
        """The runs that this turn has to do with, until the daemon is told to end."""
        for pair in self.turn:
            if self.should_end():
                return
            yield pair

    # ---- hints ----

    def _follow_hints(self, hints: Iterable[Path]) -> None:
        for path in hints:
            for project in self.scene.projects.values():
                if project.root in path.parents or path == project.root:
                    self._follow_hint(project, path)

    def _follow_hint(self, project: LiveProject, path: Path) -> None:
        inside = path.relative_to(project.root).parts
        database = path.with_name(path.name.removesuffix("-journal").removesuffix("-wal"))
        if database in project.databases:
            self._guard(str(database), finding.follow_database, self.scene, project, database)
            self.is_whole_due = True
            return
        if path.name == PROJECT_FILE or inside[:2] in (
            (".neat", "rules"),
            (".neat", "patterns"),
            (".neat", "inbox"),
            (".neat", "templates"),
        ):
            project.next_survey = 0.0
            self.are_watches_due = self.are_watches_due or len(inside) == 2  # the folder itself is new
        if inside == REMOTE:
            project.next_survey = 0.0
        if is_ignored(inside[:-1]):
            return
        live = project.run_around(path)
        is_new = live is None or path.relative_to(live.folder).as_posix() not in live.sources
        if is_source(path) and is_new and not project.heads.knows(str(path)):
            project.next_survey = 0.0
        elif live is None:
            if path.is_dir():
                project.next_survey = 0.0
            elif project.heads.may_tell_now(path):  # a header got its first row, perhaps: no need to hurry
                project.next_survey = min(project.next_survey, self.scene.clock() + self.scene.settings.sweep_s)
        elif is_source(path):
            reading.look(self.scene, live)
            self.stirred[id(live)] = project, live
        else:
            live.saves_due = True
            live.is_told |= path.name in facts.FILES
            self.stirred[id(live)] = project, live
            if path.name not in IGNORED_FOLDERS and path.is_dir() and path not in self.watcher.folders:
                self.are_watches_due = True

    def _watch(self) -> None:
        self.are_watches_due = False
        before = self.watcher.folders
        self.watcher.watch_only(watching.wanted_folders(self.scene))
        soon = self.scene.clock() + self.scene.settings.sweep_s
        fresh = self.watcher.folders - before  # what came into them before they were watched, no event told
        for project in self.scene.projects.values():
            if any(folder.is_relative_to(project.root) for folder in fresh):
                project.next_survey = min(project.next_survey, soon)

    # ---- the guard ----

    def _guard(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """Run one part of a step; what goes wrong in it is kept and the loop goes on. None after a failure."""
        self.beat()
        try:
            return call(*arguments)
        except sqlite3.DatabaseError as error:
            self._store_trouble(what, error)
        except StoreError:
            raise
        except Exception as error:
            # The one place that may: whatever it is, the daemon lives, and the event tells what and where.
            self._keep(what, error)
        return None

    def _store_trouble(self, what: str, error: sqlite3.DatabaseError) -> None:
        self.opened.check()
        if is_damage(error):
            path = damaged_path(self.scene.home)
            raise unreadable(self.scene.home, path, f"{error} (while at {what})") from error
        self.scene.trouble = f"the store cannot be written: {error}; nothing is lost, reading goes on when it can"
        self.scene.paused_until = self.scene.clock() + FULL_DISK_PAUSE_S
        log.error("%s (%s)", self.scene.trouble, what)
        self.are_orders_due = self.is_shaken = self.is_whole_due = True
        for _, live in self.scene.live_runs():
            for source in live.sources.values():
                source.is_due, source.stamp = True, None
            for stream in live.streams.values():
                stream.stands = stream.judge = stream.judged_seq = None

    def _keep(self, what: str, error: Exception) -> None:
        log.error("%s failed", what, exc_info=error)
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        message = f"{what}: {type(error).__name__}: {error} ({where}); the other runs go on"
        try:
            events.add_mishap(self.scene.records, "step-failed", message, f"step|{what}|{type(error).__name__}|{where}")
        except sqlite3.DatabaseError as second:
            log.error("the event could not be kept either: %s", second)
