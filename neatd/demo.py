"""The demo: the whole loop on a real training, in a temporary project with a NEAT_HOME of its own.

It types what a person would type, through the same two commands, and then proves each thing it shows: what is missing
at the end is named and the exit code is not 0.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from neatd.errors import NeatError
from neatd.read.gitstate import git_state
from neatd.store import points, readings, runs
from neatd.store.opening import connect
from neatd.who import VARIABLES

STEPS = 300
COMMON = (f"steps={STEPS}", "eval_every=25", "save_every=5", "eval_windows=32", "data_mb=4")
FAULT_AT = 201  # between two saves, so that the one before is clean
VARIANT = ("lr=0.006", f"fault_at={FAULT_AT}", "fault_steps=6")
KILL_AT = 110  # the daemon dies when the variant has come so far
BLIND_STEPS = 20  # and stays dead for so many steps
PATIENCE_S = 170.0  # for one training, on a slow machine
RETENTION = "{newest: 6, half: 8, every_steps: 50}"


@dataclass
class Demo:
    """One demo: where it lives, and what it found missing."""

    folder: Path
    console: Console
    missing: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def type(self, *words: str, quiet: bool = False) -> str:
        """Run `neat …` or `neatd …` as a person would, showing the command and its output. Raises on failure."""
        shown = " ".join(f'"{word}"' if " " in word else word for word in words)
        if not quiet:
            self.console.print(f"[bold green]$[/] [bold]{shown}[/]", highlight=False)
        function = {"neat": "main", "neatd": "neatd_main"}[words[0]]
        program = f"from neatd.cli.main import {function} as run; run()"
        done = subprocess.run(
            [sys.executable, "-c", program, *words[1:]], cwd=self.project, env=self.environment(), text=True,
            capture_output=True, timeout=120,
        )  # fmt: skip
        if done.returncode:
            raise NeatError(
                f"`{shown}` failed:\n{done.stdout}{done.stderr}".rstrip(), f"the demo's files: {self.folder}"
            )
        if not quiet and done.stdout.strip():
            self.console.print(done.stdout.rstrip(), highlight=False, markup=False)
        return done.stdout

    def ask(self, *words: str) -> Any:
        """The JSON answer of a reading command."""
        return json.loads(self.type(*words, "--json", quiet=True))

    def environment(self) -> dict[str, str]:
        """The demo's own NEAT_HOME; who types is a person."""
        kept = {key: value for key, value in os.environ.items() if key not in (*VARIABLES, "PYTHONPATH")}
        return kept | {"NEAT_HOME": str(self.home), "PYTHONWARNINGS": "ignore", "COLUMNS": str(self.console.width)}

    def need(self, is_there: bool, what: str) -> None:
        """Note what ought to be there and is not."""
        if not is_there:
            self.missing.append(what)
            self.console.print(f"[bold red]missing:[/] {what}")

    def say(self, title: str) -> None:
        """A heading."""
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left")


def run_demo(folder: Path, console: Console) -> None:
    """The demo from start to end in `folder` (made by the caller). Raises NeatError naming what is missing."""
    demo = Demo(folder, console)
    try:
        _set_up(demo)
        _train_baseline(demo)
        _train_variant(demo)
        _wait_until_settled(demo)
        _show(demo)
    finally:
        _tidy(demo)
    console.print(f"\nEverything is in {folder}; remove it when you have seen enough.", highlight=False)
    if demo.missing:
        raise NeatError(
            f"the demo lacks: {'; '.join(demo.missing)}", f"the daemon's log: {demo.home / 'logs' / 'neatd.log'}"
        )


def _set_up(demo: Demo) -> None:
    demo.say("A project, and the daemon that watches it")
    demo.project.mkdir(parents=True)
    demo.home.mkdir()
    (demo.project / "README.md").write_text("# A byte model of Python's standard library\n")
    (demo.project / ".gitignore").write_text("runs/\n")
    git = ["git", "-c", "user.name=demo", "-c", "user.email=demo@localhost"]
    for words in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "start"]):
        subprocess.run([*git, *words], cwd=demo.project, check=True, timeout=60)
    demo.type("neat", "init", "--yes", "--assistant", "claude-code")
    with (demo.project / "neat.yaml").open("a") as config:
        config.write(
            f"primary: {{metric: val/loss, goal: min}}\nretention: {RETENTION}  # small, to show all three tiers\n"
        )
    subprocess.run([*git, "add", "."], cwd=demo.project, check=True, timeout=60)
    subprocess.run([*git, "commit", "--quiet", "-m", "set neat up"], cwd=demo.project, check=True, timeout=60)
    demo.type("neat", "allow", "retention")
    demo.type("neatd", "start")


def _train_baseline(demo: Demo) -> None:
    demo.say("A baseline, trained by a program that knows nothing of neat")
    demo.type("neat", "train", "lm", "--name", "baseline", *COMMON)
    _follow(demo, "baseline", STEPS)
    demo.type("neat", "baseline", "baseline")


def _train_variant(demo: Demo) -> None:
    demo.say("A hypothesis first, then the run that decides it; the daemon is killed in the middle")
    why = "twice the rate, same steps, one seed"
    demo.type("neat", "decide", "try twice the learning rate", "--why", why, "--alternative", "more layers")
    claim = ("neat", "hypothesis", "twice the learning rate learns faster")
    demo.type(*claim, "--predict", "val/loss < baseline - 1%", "--run", "variant")
    demo.type("neat", "task", "repeat the better run with three seeds")
    demo.type("neat", "train", "lm", "--name", "variant", *COMMON, *VARIANT)
    _follow(demo, "variant", KILL_AT)
    pid = demo.ask("neatd", "status")["pid"]
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    demo.console.print(
        f"[bold red]kill -9 {pid}[/]  (neatd is dead; the training is not its child and goes on)", highlight=False
    )
    metrics = demo.project / "runs" / "variant" / "metrics.jsonl"
    reached = _lines(metrics) + BLIND_STEPS
    _until(lambda: _lines(metrics) >= reached, f"the training goes on without neatd, to line {reached}")
    demo.need(_points(demo, "variant") < _lines(metrics), "unread lines at the moment of the new start")
    demo.type("neatd", "start")
    _follow(demo, "variant", STEPS)


def _follow(demo: Demo, name: str, upto: int) -> None:
    """A progress bar fed by what the store knows, which is what the daemon has read."""
    columns = (TextColumn("  {task.description}"), BarColumn(), TextColumn("{task.fields[seen]}"), TimeElapsedColumn())
    with Progress(*columns, console=demo.console, transient=False) as progress:
        bar = progress.add_task(f"{name:<9}", total=upto, seen="starting")

        def is_there() -> bool:
            step, loss = _progress(demo, name)
            progress.update(bar, completed=min(step, upto), seen=f"step {step}, val/loss {loss}")
            return step >= upto

        _until(is_there, f"{name} at step {upto}", lambda: _check_alive(demo, name))


def _progress(demo: Demo, name: str) -> tuple[int, str]:
    run_id = _run_id(demo, name)
    if run_id is None:
        return 0, "—"
    series = connect(demo.home, "points")
    facts = {fact.name: fact for fact in points.series_of(series, run_id)}
    series.close()
    step = facts["train/loss"].last_step if "train/loss" in facts else 0
    loss = facts["val/loss"].last if "val/loss" in facts else None
    return step, f"{loss:.3f}" if loss is not None else "—"


def _run_id(demo: Demo, name: str) -> str | None:
    records = connect(demo.home)
    found = runs.named(runs.all_runs(records), name)
    records.close()
    return found.id if found else None


def _check_alive(demo: Demo, name: str) -> None:
    found = next((run for run in demo.ask("neat", "runs") if run["name"].endswith(name)), None)
    if found and found["status"] in ("failed", "killed", "lost"):
        output = demo.type("neat", "logs", name, quiet=True)
        raise NeatError(f"{name} {found['status']}: {found['reason']}\n{output}", f"the demo's files: {demo.folder}")


def _until(is_true: Callable[[], bool], what: str, check: Callable[[], None] | None = None) -> None:
    deadline, next_check = time.monotonic() + PATIENCE_S, time.monotonic() + 10
    while not is_true():
        if time.monotonic() > deadline:
            raise NeatError(f"waited {PATIENCE_S:.0f} s for: {what}", "is another program using all cores?")
        if check and time.monotonic() > next_check:
            next_check = time.monotonic() + 10
            check()
        time.sleep(0.25)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def _points(demo: Demo, name: str) -> int:
    """How many lines of a run's metrics the store has taken in."""
    run_id = _run_id(demo, name)
    series = connect(demo.home, "points")
    found = readings.readings(series, run_id)["metrics.jsonl"].seq if run_id else 0
    series.close()
    return found


def _wait_until_settled(demo: Demo) -> None:
    """The last lines, checkpoints, snapshots and verdicts arrive within seconds of the end."""

    def is_settled() -> bool:
        records = connect(demo.home)
        pending = records.execute("SELECT count(*) FROM snapshot WHERE status = 'pending'").fetchone()[0]
        verdicts = records.execute("SELECT count(*) FROM hypothesis WHERE verdict = ''").fetchone()[0]
        alive = records.execute(
            "SELECT count(*) FROM run WHERE status NOT IN ('finished', 'failed', 'killed')"
        ).fetchone()[0]
        records.close()
        return not pending and not verdicts and not alive

    _until(is_settled, "verdicts, snapshots and statuses")
    last = demo.project / "runs" / "variant" / "checkpoints" / f"step_{STEPS:06d}.pt"

    def is_catalogued() -> bool:
        return any(one["path"].endswith(last.name) for one in demo.ask("neat", "checkpoints", "variant"))

    _until(is_catalogued, "the last checkpoint in the catalogue")


def _show(demo: Demo) -> None:
    _show_reading(demo)
    _show_table(demo)
    _show_event(demo)
    _show_retention(demo)
    _show_verdict(demo)
    _show_brief(demo)


def _show_reading(demo: Demo) -> None:
    demo.say("Read exactly once, though the daemon was killed")
    for name in ("baseline", "variant"):
        written = _lines(demo.project / "runs" / name / "metrics.jsonl")
        read = _points(demo, name)
        demo.console.print(f"  {name}: {written} lines written, {read} in the store", highlight=False)
        demo.need(written == read and written > 0, f"all lines of {name} exactly once ({written} written, {read} read)")
        output = demo.type("neat", "logs", name, quiet=True)
        bits = next((line for line in output.splitlines() if "bits per byte" in line), "")
        demo.console.print(f"  {name}: {bits}", highlight=False)
        demo.need(bool(bits), f"the trainer's own comparison with gzip and xz in the log of {name}")


def _show_table(demo: Demo) -> None:
    demo.say("The experiments against the baseline")
    demo.type("neat", "table")
    rows = {row["name"]: row for row in demo.ask("neat", "table")}
    is_compared = rows.get("runs/variant", {}).get("delta") is not None and rows.get("runs/baseline", {}).get(
        "is_baseline"
    )
    demo.need(bool(is_compared), "the experiment table with a difference to the baseline")


def _show_event(demo: Demo) -> None:
    demo.say(f"The planted fault (step {FAULT_AT}), and the checkpoint from before it")
    found = [e for e in demo.ask("neat", "events", "--run", "variant") if e["severity"] != "info" and e["step"]]
    faults = [event for event in found if FAULT_AT <= event["step"] <= FAULT_AT + 30]
    demo.need(bool(faults), f"an event at the planted fault of step {FAULT_AT}")
    for event in sorted(faults, key=lambda one: one["step"])[:2]:
        demo.console.print(f"  {event['severity']} {event['rule']}: {event['message']}", highlight=False)
        demo.need(bool(event["snapshot"]), f"a snapshot of {event['rule']} at step {event['step']}")
        if event["snapshot"]:
            _show_snapshot(demo, event, demo.project / event["snapshot"])


def _show_snapshot(demo: Demo, event: dict[str, Any], folder: Path) -> None:
    metadata = json.loads((folder / "metadata.json").read_text())
    source = metadata.get("checkpoint") or {}
    demo.console.print(f"  {folder.relative_to(demo.project)}/", highlight=False)
    for path in sorted(folder.iterdir()):
        demo.console.print(f"    {path.name}  {path.stat().st_size / 1e6:.1f} MB", highlight=False)
    step = source.get("step")
    demo.need(step is not None and step < event["step"], "the checkpoint from before the fault in its snapshot")
    kept = any(path.suffix == ".pt" for path in folder.iterdir()) or event["snapshot_mode"] == "pin"
    demo.need(kept, "the checkpoint's file in the snapshot, or pinned in place")


def _show_retention(demo: Demo) -> None:
    demo.say(f"What retention kept of the variant, and why (policy {RETENTION})")
    planned = next(one for one in demo.ask("neat", "retention", "plan", "variant"))
    for kept in planned["keep"]:
        demo.console.print(
            f"  step {kept['step'] if kept['step'] is not None else '—':>4}  {'; '.join(kept['reasons'])}"[:140],
            highlight=False,
        )
    trashed = demo.ask("neat", "retention", "undo", "--list")
    mine = [one for one in trashed if "/variant/" in one["from_path"].replace("\\", "/")]
    freed = sum(one["size_bytes"] for one in mine) / 1e6
    demo.console.print(
        f"  {len(mine)} went to the trash ({freed:.0f} MB); `neat retention undo` brings them back", highlight=False
    )
    demo.need(bool(mine), "checkpoints that retention moved to the trash")
    reasons = " ".join(reason for kept in planned["keep"] for reason in kept["reasons"])
    demo.need("best " in reasons and "newest" in reasons, "the best and the newest among what retention kept")
    demo.need(all(Path(one["trash_path"]).exists() for one in mine), "every file in the trash that the journal names")


def _show_verdict(demo: Demo) -> None:
    demo.say("The hypothesis that was written down before the run")
    one = demo.ask("neat", "list", "hypothesis")[0]
    demo.console.print(f"  {one['title']} [predicted {one['predict']}]", highlight=False, markup=False)
    demo.console.print(f"  {one['verdict']}: {one['verdict_reason']}", highlight=False)
    demo.need(
        one["verdict"] in ("supported", "refuted") and bool(one["evidence"]),
        "the hypothesis' verdict with its evidence",
    )


def _show_brief(demo: Demo) -> None:
    demo.say("The brief, as the next assistant session reads it (.neat/brief.md)")
    path = demo.project / ".neat" / "brief.md"
    _until(lambda: path.exists() and "runs/variant" in path.read_text(), "the brief on the disk")
    demo.console.print(Panel(Markdown(path.read_text()), expand=False))
    size = len(path.read_bytes())
    demo.console.print(f"  {size} bytes of at most 6000", highlight=False)
    demo.need(0 < size <= 6000, "a brief within its budget")
    demo.need("@.neat/brief.md" in (demo.project / "CLAUDE.md").read_text(), "the block in CLAUDE.md")
    dirty = git_state(demo.project)
    demo.need(not dirty.dirty, f"a clean working tree (neat changed {', '.join(dirty.dirty)})")


def _tidy(demo: Demo) -> None:
    """Nothing is left running: neither the daemon nor a training."""
    from neatd.jobs.ending import stop as stop_job

    try:
        demo.type("neatd", "stop", quiet=True)
    except NeatError as error:
        demo.console.print(f"note: {error.message}", markup=False)
    for folder in (demo.home / "jobs").glob("j-*"):
        stop_job(folder, 5.0)
