"""The two commands, `neat` and `neatd`: names and one-line helps here, everything else loaded when it is called.

`neat --help` and completion read the tables below, so they import no command; errors end here, as two lines.
"""

from __future__ import annotations

import importlib
import sqlite3
import sys
from collections.abc import Sequence
from typing import Any

import click

from neatd.errors import NeatError

# name -> (module, function, help). The help is the command's own first line; a test holds them equal.
NEAT = {
    "init": (
        "setup",
        "init",
        "Set a project up: neat.yaml, .neat/, and the assistants that are found (Claude Code, Codex, Cursor).",
    ),
    "demo": ("demo", "demo", "Show the whole loop on a real training, in a temporary project."),
    "note": ("record", "note", "Keep a note."),
    "decide": ("record", "decision", "Keep a decision, and why."),
    "hypothesis": ("record", "hypothesis", "Keep a hypothesis; with --predict and --run its verdict is computed."),
    "bug": ("record", "bug", "Keep a bug: its cause, its fix, what is still to do."),
    "insight": ("record", "insight", "Keep an insight."),
    "task": ("record", "task", "Keep a next step."),
    "prefer": ("record", "preference", "Keep a preference, authoritative in every brief."),
    "phase": ("record", "phase", "Say which phase the project is in."),
    "machine": ("record", "machine", "Keep a machine; its address and key stay out of documents."),
    "command": ("record", "command", "Keep a command to run."),
    "style": ("record", "style", "Keep a rule of code style."),
    "document": ("record", "document", "Keep a document people should know."),
    "assessment": ("record", "assessment", "Keep an assessment of where things stand."),
    "lesson": ("record", "lesson", "Keep a lesson learned."),
    "challenge": ("record", "challenge", "Keep a challenge ahead."),
    "goal": ("record", "goal", "Keep a goal."),
    "experiment": ("record", "experiment", "Keep an experiment that no watched run tells of."),
    "change": ("record", "change", "Keep what was changed, with before and after."),
    "service": ("record", "service", "Keep a service that runs beside the training."),
    "session": ("record", "session", "Keep a working session."),
    "list": ("records", "list_", "List records of a kind, or of all kinds."),
    "show": ("records", "show", "Show a record, run, event, snapshot or job, with its history."),
    "edit": ("edit", "edit", "Change fields of a record; the old values stay in its history."),
    "close": ("records", "close", "End a record: a task is done, a bug fixed, others closed."),
    "delete": ("records", "delete", "Delete records, or bring them back with --undo."),
    "link": ("records", "link", "Link two records, runs or events: A RELATION B."),
    "import": ("importing", "import_", "Take notes in as records: markdown, decision logs, tables, CSV, JSON."),
    "search": ("search", "search", "Search the records: words as prefixes, phrases in quotes."),
    "brief": ("documents", "brief", "Print where things stand, within a byte budget."),
    "handoff": ("documents", "handoff", "Write the session handoff."),
    "sync": ("sync", "sync", "Exchange records with .neat/knowledge.jsonl, by which they travel in git."),
    "ingest": ("ingest", "ingest", "Let machines that share no disk send lines of metrics into this project."),
    "verify": ("verify", "verify_", "Re-read the sources of what records claim, and say what no longer holds."),
    "check": ("check", "check", "Say whether a configuration, or one near it, was tried, and how it ended."),
    "suggest": ("suggest", "suggest", "Say what to try next, by stated rules over what was tried."),
    "test": (
        "testing",
        "test",
        "Run the tests and keep the result: counts, failing names, time, the state of the files.",
    ),
    "data": ("data", "data", "Keep versions of the data; see what changed, and what is not registered."),
    "runs": ("runs", "runs_", "List the runs, newest first."),
    "run": ("runs", "run", "Look at one run."),
    "series": ("runs", "series", "Print the points of one series."),
    "table": ("table", "table", "Compare the experiments with the baseline."),
    "compare": (
        "compare",
        "compare",
        "Compare two or more runs side by side: values, parameters and code that differ.",
    ),
    "baseline": ("table", "baseline", "Name the run that others are compared with."),
    "events": ("events", "events_", "List anomalies, best values and mishaps, newest first."),
    "snapshots": ("snapshots", "snapshots", "List the snapshots that events took."),
    "checkpoints": ("events", "checkpoints", "List the checkpoints of the runs."),
    "rules": ("rules", "rules", "List the rules, check rule files, try a rule on a stored run."),
    "alerts": ("alerts", "alerts", "Who is told of alerts; send a test message."),
    "retention": ("retention", "retention", "Thin checkpoints: plan, apply, undo."),
    "allow": ("allow", "allow", "Allow neat something in this folder, on this machine."),
    "launch": ("launch", "launch", "Queue a command as a job that outlives the terminal and the daemon."),
    "train": ("train", "train", "Queue a shipped trainer as a job that outlives the daemon."),
    "eval": ("measure", "eval_", "Score a checkpoint, and keep the result against its run."),
    "profile": ("measure", "profile", "Measure where the time of a trainer's steps goes."),
    "queue": ("queue", "queue", "Show what runs, what waits, why, and when it is likely to end."),
    "stop": (
        "jobs",
        "stop",
        "End a job: one that waits is cancelled, one that runs gets INT, TERM, KILL, with time between to save.",
    ),
    "retry": (
        "jobs",
        "retry",
        "Run an ended job again: a new job with the same command, folder and environment.",
    ),
    "resume": (
        "jobs",
        "resume",
        "Go on with a run from its last good checkpoint: a new job of the same command, folder and environment.",
    ),
    "study": (
        "study",
        "study",
        "Search over parameters: trials as jobs, with a budget, constraints, early stops.",
    ),
    "logs": ("jobs", "logs", "Print what a job wrote."),
    "hook": ("hook", "hook", "Answer an assistant's hook; for its settings, not for people."),
    "mcp": (
        "mcp",
        "mcp",
        "Serve the notebook to an assistant as tools, by the Model Context Protocol on stdin and stdout.",
    ),
    "ui": ("ui", "ui", "Open the page: runs, charts, queue and records, in the browser."),
    "doctor": ("doctor", "doctor", "Check the installation; each line says how to mend what it found."),
    "schedule": ("maintain", "schedule", "Show the scheduled maintenance: next, last, result, duration."),
    "maintain": ("maintain", "maintain", "Run a job of maintenance now, or list the jobs."),
    "backup": ("store", "backup", "Back the records up now."),
    "restore": ("store", "restore", "Put a backup in the store's place; the old file is kept."),
    "completion": ("allow", "completion", "Print the line that turns on shell completion."),
}
HIDDEN = {"merge-driver": ("sync", "merge_driver", "Merge two versions of knowledge.jsonl, as git asks.")}
NEATD = {
    "start": ("daemon", "start", "Start watching, in the background."),
    "stop": ("daemon", "stop", "Stop watching. Trainings go on."),
    "restart": ("daemon", "restart", "Stop and start again."),
    "status": ("daemon", "status", "Say whether neatd watches, and what."),
    "logs": ("daemon", "logs", "Print the daemon's log."),
    "install": (
        "service",
        "install",
        "Run neatd as a service: with the login or the machine, and again after a failure.",
    ),
    "uninstall": (
        "service",
        "uninstall",
        "Take the service out again: the daemon ends, its unit goes; what neat keeps stays.",
    ),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def __init__(self, *args: Any, table: dict[str, tuple[str, str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.table.get(cmd_name) or (HIDDEN.get(cmd_name) if self.table is NEAT else None)
        if entry is None:
            return None
        module, function, _ = entry
        command = getattr(importlib.import_module(f"neatd.cli.{module}"), function)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in self.table.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], self.table, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(error.message + hint, ctx) from error


_EPILOG = "Exit codes: 0 done, 1 an error, 2 wrong usage. NEAT_HOME names the folder of the store."


@click.command(cls=LazyGroup, table=NEAT, epilog=_EPILOG)
@click.version_option(package_name="neat-notebook", prog_name="neat")
def neat() -> None:
    """The lab notebook that keeps itself, for people who train PyTorch models with AI coding assistants.

    \b
    neat init && neatd start      begin, in a project's folder
    neat runs                     what has been trained
    neat brief                    where things stand
    """


@click.command(cls=LazyGroup, table=NEATD, epilog=_EPILOG)
@click.version_option(package_name="neat-notebook", prog_name="neatd")
def neatd() -> None:
    """The daemon that watches training directories and git, and keeps the notebook.

    \b
    neatd start                   begin to watch, in the background
    neatd status                  what is watched
    """


def run(group: click.Group, arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code. What goes wrong is said in two lines on stderr."""
    try:
        result = group.main(args=arguments, prog_name=group.name, standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except NeatError as error:
        return _told(error)
    except click.UsageError as error:
        error.show()
        return 2
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("stopped", err=True)
        is_interrupted = isinstance(error, KeyboardInterrupt) or isinstance(error.__cause__, KeyboardInterrupt)
        if not is_interrupted and not sys.stdin.isatty():  # a question without an answer
            click.echo("hint: where nobody can answer, say --yes", err=True)
        return 130
    except BrokenPipeError:  # `neat events | head`
        sys.stderr.close()
        return 0
    except sqlite3.DatabaseError as error:
        return _store_failed(error)
    except UnicodeEncodeError as error:
        text = error.object[error.start : error.end]
        return _fail(
            f"{text!r} cannot be written as {error.encoding}", "type it as UTF-8; or set PYTHONUTF8=1 for output"
        )
    except OSError as error:
        from neatd.pipeline.trouble import of_system

        return _told(of_system(error))


def _fail(message: str, hint: str) -> int:
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    return 1


def _told(error: NeatError) -> int:
    return _fail(error.message, error.hint)


def _store_failed(error: sqlite3.DatabaseError) -> int:
    from neatd.pipeline.trouble import of_store
    from neatd.place import neat_home

    return _told(of_store(neat_home(), error))


def main() -> None:
    """The script `neat`."""
    sys.exit(run(neat))


def neatd_main() -> None:
    """The script `neatd`."""
    sys.exit(run(neatd))


if __name__ == "__main__":
    main()
