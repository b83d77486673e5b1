"""The commands that keep a record, one a kind, made from the table of kinds. Stdlib and click only, so that they cost
next to nothing; evidence and conditions load what reads the store when they are given.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from neatd.kinds import KINDS, Field
from neatd.pipeline import keeping
from neatd.pipeline.keeping import COMMANDS, FOUND_OUT, ExclusiveError, as_said, exclusion
from neatd.place import here, neat_home
from neatd.who import source

FIRST_LINES = {
    "decision": "Keep a decision, and why.",
    "hypothesis": "Keep a hypothesis; with --predict and --run its verdict is computed.",
    "bug": "Keep a bug: its cause, its fix, what is still to do.",
    "phase": "Say which phase the project is in.",
    "machine": "Keep a machine; its address and key stay out of documents.",
    "experiment": "Keep an experiment that no watched run tells of.",
    "change": "Keep what was changed, with before and after.",
}
EXAMPLES = {
    "note": ('neat note "val loss stops falling after step 4000"', 'neat note "batch 64 does not fit" --tag memory'),
    "decision": (
        'neat decide "train on 128 cubed patches" --why "160 does not fit" --alternative "160 cubed, batch 1"',
        'neat decide "lr 3e-4" --evidence runs/warm:val/loss --valid-while "file configs/base.yaml"',
    ),
    "hypothesis": ('neat hypothesis "a topology loss helps" --predict "val/dice > 0.20" --run topo',),
    "bug": (
        'neat bug "out of memory on load" --cause "all volumes at once" --fix "--max-samples" --follow-up "lazy loading"',
        'neat bug "memory leak" --fix "in chunks" --before "50 GB" --after "15 GB" --file train.py',
    ),
    "task": (
        'neat task "run the 2M sweep" --horizon week',
        'neat task "commit the runner scripts" --top',
        'neat task "write its test" --parent t-9x41',
    ),
    "insight": ('neat insight "memory must decay slower over longer contexts" --component memory --forever',),
    "preference": ('neat prefer "tests first, always" --about development',),
    "phase": ('neat phase "6A, parameter scaling" --status "HPO running"',),
    "machine": ('neat machine "A100 node" --gpu "A100 40 GB" --driver 550.90 --host root@203.0.113.7 --provider Acme',),
    "command": ('neat command "make test" --about "all tests"',),
    "style": ('neat style "absolute imports" --about imports',),
    "document": ("neat document docs/plan.md --status approved --must-read",),
    "assessment": ('neat assessment "the data pipeline holds" --component data',),
    "lesson": ('neat lesson "a lock needs a timeout" --phase 2.1',),
    "challenge": ('neat challenge "one learning rate does not fit all parts"',),
    "goal": ('neat goal "beat the baseline by 5 %" --horizon later',),
    "experiment": ('neat experiment "wide, 24 layers" --metric val/loss --value 0.3081 --params d=768 --params L=24',),
    "change": ('neat change "loads in chunks" --before "50 GB" --after "15 GB" --file train.py',),
    "service": ('neat service "memory API" --url http://localhost:8081 --about "RAM for other tools"',),
    "session": ('neat session "the sweep was analysed" --started 2026-03-01 --assistant claude-code',),
}
_EXTRA = {
    "decision": "The record that --supersedes names ends; both stay linked.",
    "hypothesis": (
        "The verdict comes when the run ends: supported, refuted, or undecided with the reason. --study decides by the\n"
        "best of several runs, --experiment by a recorded one."
    ),
    "phase": "The phase of the same name is changed if there is one.",
}
_HOLDS = '"file PATH", "ancestor COMMIT", "run ID", "branch NAME", "until DATE"'
_COMMON = (
    ("--body", "More words than the title's line.", False),
    ("--status", "open, done, or a word of yours.", False),
    ("--tag", "A word to find it by; may be given again.", True),
    ("--evidence", "RUN[:METRIC[@STEP]] that vouches for it; may be given again.", True),
    ("--valid-while", f"While it holds: {_HOLDS}; may be given again.", True),
)  # fmt: skip


def __getattr__(name: str) -> click.Command:
    """The command of a kind, made when it is asked for: `record.decision` is `neat decide`."""
    if name not in EXAMPLES:
        raise AttributeError(name)
    return _command(name)


def _command(kind: str) -> click.Command:
    name = COMMANDS.get(kind, kind)
    options = [_option(field) for field in KINDS[kind].fields if field.name not in FOUND_OUT]
    options += [
        click.Option([flag, *(["tags"] if flag == "--tag" else [])], help=text, multiple=many)
        for flag, text, many in _COMMON
    ]
    if kind == "task":
        options.append(click.Option(["--top"], is_flag=True, help="Put it before all others."))
    options.append(click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."))
    paragraphs = [FIRST_LINES.get(kind, f"Keep {KINDS[kind].help}."), *filter(None, [_EXTRA.get(kind)])]
    text = "\n\n".join([*paragraphs, "\b\n" + "\n".join(EXAMPLES[kind])])
    return click.Command(
        name,
        callback=_callback(kind),
        params=[click.Argument(["text"], nargs=-1, required=True), *options],
        help=text,
        short_help=f"Keep {KINDS[kind].help}.",
    )


def _option(field: Field) -> click.Option:
    flag = "--" + field.name.replace("_", "-")
    if field.type == "flag":
        return click.Option([flag], is_flag=True, help=field.help)
    kind = {"number": click.FLOAT}.get(field.type)
    return click.Option([flag], type=kind, multiple=field.type in ("list", "json"), help=field.help)


def _callback(kind: str) -> Callable[..., None]:
    def keep_it(text: tuple[str, ...], as_json: bool, **fields: Any) -> None:
        keep(kind, {"title": " ".join(text), **fields}, as_json)

    return keep_it


def keep(kind: str, fields: dict[str, Any], as_json: bool) -> None:
    """Write the record and say its id."""
    try:
        said = as_said(kind, fields)
    except ExclusiveError as error:
        raise click.UsageError(exclusion([f"--{name}" for name in error.names], error.why)) from error
    kept = keeping.keep(neat_home(), here(), kind, said, source())
    if as_json:
        click.echo(json.dumps({"id": kept.id, "kind": kept.kind, "inbox": kept.inbox}))
        return
    click.echo(f"{kind} {kept.id[:9]} kept")
    if kept.inbox:
        click.echo(f"the store is out of reach: it lies in {kept.inbox}, and neatd takes it in from there", err=True)
