"""The process behind each run: looked for, described once, and the code as it was when the run began."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from neatd.files import is_remote
from neatd.models import GitState, ProcessFact
from neatd.pipeline.facts import began_at, set_run
from neatd.pipeline.hinting import hints_for
from neatd.pipeline.scene import LiveProject, LiveRun, Scene
from neatd.pipeline.testing import own_paths
from neatd.read.gitstate import git_state
from neatd.read.machine import machine_facts
from neatd.read.process import find_processes
from neatd.read.processfacts import JOB_VARIABLE, described
from neatd.read.startdiff import StartDiff, start_diff
from neatd.redact_own import compile_patterns, redact_value_with, redactor
from neatd.store import jobs, runs

LOOK_S = 10.0
BUDGET_S = 0.02  # of a turn
DIFF_S = 5.0
LONGEST_COMMAND = 500  # characters that are kept
FRESH_S = 300.0  # a run that began longer ago began from code that is not seen any more


def look_for_processes(scene: Scene) -> None:
    """One pass over the processes for all runs that have none yet, at most every ten seconds."""
    now = scene.clock()
    wanted = {
        live.folder: (project, live)
        for project, live in scene.open_runs()
        if not live.is_ended and live.run.process is None and live.next_process_look <= now
        if not is_remote(live.run.folder)  # its process is elsewhere; who has its file open takes its lines in
    }
    for _, live in wanted.values():
        live.next_process_look = now + LOOK_S
    for folder, fact in find_processes(wanted, hints_for(scene) if wanted else None).items():
        scene.met.append((*wanted[folder], fact))


def describe_met(scene: Scene) -> None:
    """Look closely at some of the processes that were found: a hundred at once would hold up everybody's lines."""
    begun = scene.clock()
    while scene.met and scene.clock() - begun < BUDGET_S:
        project, live, fact = scene.met.popleft()
        if live.run.process is None:
            describe(scene, project, live, fact)


def describe(scene: Scene, project: LiveProject, live: LiveRun, fact: ProcessFact) -> None:
    """Keep the process behind a run, what it tells, and the code as it is when it began just now."""
    fact = _without_secrets(project, described(fact))
    machine = machine_facts(scene.gpu.sample(scene.clock()))
    set_run(scene, live, process=fact, facts={**live.run.facts, "machine": machine}, **_its_job(scene, live, fact))
    began_at(scene, live, fact.started)
    if not live.run.git.is_repo and 0 <= time.time() - fact.started < FRESH_S:
        set_run(scene, live, git=git_now(scene, project))  # its folder is old, its process is not
    keep_start(scene, project, live, fact.started)


def _its_job(scene: Scene, live: LiveRun, fact: ProcessFact) -> dict[str, str]:
    """The job that the process is of, where it runs in one of this home's."""
    name = fact.env.get(JOB_VARIABLE, "")
    began = datetime.fromtimestamp(fact.started, UTC)
    if live.run.job_id or not name or not jobs.is_of_project(scene.records, name, live.run.project_id, began):
        return {}
    return {"job_id": name}


def git_now(scene: Scene, project: LiveProject) -> GitState:
    """The project's git state, at most two seconds old: a thousand runs found at once ask git once."""
    now = scene.clock()
    if project.git is None or now - project.git[0] > 2.0:
        project.git = now, git_state(project.root, own_paths(project.config))
    return project.git[1]


def _without_secrets(project: LiveProject, fact: ProcessFact) -> ProcessFact:
    """The known ones and the project's own, out of the whole command before it is cut: half a key would stay."""
    clean = redact_value_with(compile_patterns(project.config.secrets), fact.model_dump())
    return ProcessFact.model_validate({**clean, "command": clean["command"][:LONGEST_COMMAND]})


def keep_start(scene: Scene, project: LiveProject, live: LiveRun, began: float) -> None:
    """Keep what was not committed when the run began, once, if that is so short ago that it still is there."""
    if is_remote(live.run.folder):
        return
    if not 0 <= time.time() - began < FRESH_S or runs.start_of(scene.records, live.run.id) is not None:
        return
    found = _diff_now(scene, project)
    if found.is_known:
        runs.keep_start(
            scene.records, live.run.id, found.packed, found.untracked, found.is_truncated, datetime.now(UTC)
        )


def _diff_now(scene: Scene, project: LiveProject) -> StartDiff:
    """What is not committed, at most a few seconds old: a hundred runs found at once ask git once."""
    now = scene.clock()
    if project.start_diff is None or now - project.start_diff[0] > DIFF_S:
        found = start_diff(project.root, own_paths(project.config), redactor(project.root))
        project.start_diff = scene.clock(), found
    return project.start_diff[1]
