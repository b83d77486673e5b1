"""Retention by hand: the plan with its reasons, apply, pins. Undo is in `cli/trashed.py`."""

from __future__ import annotations

import click

from neatd.assist.render import size
from neatd.cli.checkpointword import find_checkpoint
from neatd.cli.common import Open, json_option, open_here, print_json, wait_for_request
from neatd.cli.retentionplan import show
from neatd.cli.trashed import bring_back, report, undo
from neatd.errors import NeatError
from neatd.models import Checkpoint, Run
from neatd.pipeline import applying
from neatd.pipeline.planshown import plan_shapes, plans
from neatd.policy import RetentionPlan
from neatd.store import checkpoints
from neatd.who import source


@click.group(short_help="Thin checkpoints: plan, apply, undo.")
def retention() -> None:
    """Thin checkpoints: plan, apply, undo.

    Nothing is thinned by itself until `neat allow retention`. What goes is renamed into .neat/trash and can come back.
    What was there before that goes by itself only where it is no more than half of it: else neatd waits for
    `neat retention apply --yes`.
    """


def _plans(opened: Open, word: str | None) -> list[tuple[Run, RetentionPlan]]:
    return plans(opened.records, opened.points, opened.project, opened.config, word)


@retention.command(short_help="Show what would go, and why each file stays.")
@click.argument("word", metavar="[RUN]", required=False)
@json_option
def plan(word: str | None, as_json: bool) -> None:
    """Show what would go, and why each file stays. Changes nothing.

    A checkpoint stays when any rule of the policy keeps it, and for each reason it counts: the third number is what
    nothing else keeps.

    \b
    neat retention plan
    neat retention plan baseline --json
    """
    opened = open_here()
    found = _plans(opened, word)
    if as_json:
        print_json(plan_shapes(found))
    else:
        show(found)


@retention.command(short_help="Move what the plan gives up into the trash.")
@click.argument("word", metavar="[RUN]", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def apply(word: str | None, yes: bool, as_json: bool) -> None:
    """Move what the plan gives up into the trash.

    More than half of a run's bytes at once needs --yes. For the whole project it also says that you agree to the policy:
    neatd does not ask for it again until the policy changes.

    \b
    neat retention apply
    neat retention apply --yes
    """
    opened = open_here(warn=False)
    wanted = applying.thinning(opened.records, opened.points, opened.project, opened.config, word)
    applying.check(wanted, yes)
    if wanted.found and not yes:
        told = f"{wanted.checkpoints} checkpoints ({size(wanted.bytes_freed)}) of {len(wanted.found)} run(s)"
        click.confirm(f"move {told} into the trash?", abort=True, err=True)
    asked = applying.ask(opened.records, wanted, yes)
    if asked is None:
        report(as_json, applying.NOTHING, "nothing to do: everything stays")
        return
    result = wait_for_request(opened, asked)
    freed_text = size(result["freed_bytes"])
    text = f"{result['moved']} checkpoints are in the trash ({freed_text}); `neat retention undo` brings them back"
    report(as_json, result, text)


@retention.command(short_help="Say that a checkpoint stays.")
@click.argument("checkpoint", metavar="CHECKPOINT|PATH")
@click.option("--why", default="", help="Why it stays; the plan shows it.")
@json_option
def pin(checkpoint: str, why: str, as_json: bool) -> None:
    """Say that a checkpoint stays, whatever the policy says: by its file, its folder or the beginning of its id.

    One that lies in the trash is brought back.

    \b
    neat retention pin runs/baseline/checkpoints/step_5000.pt --why "the one in the paper"
    """
    opened = open_here(warn=False)
    run, one = find_checkpoint(opened, checkpoint)
    if one.status in ("deleted", "gone"):
        how = "it was emptied from the trash" if one.status == "deleted" else "it was removed, and not by neat"
        raise NeatError(
            f"{one.path} of {run.name} is no longer there: {how}", f"`neat snapshots --run {run.name}` lists copies"
        )
    was_trashed = one.status == "trashed"
    if was_trashed:
        bring_back(opened, run, one)
    checkpoints.pin(opened.records, one.id, why, source())
    _pinned(as_json, run, one, "was in the trash: it is back, and stays" if was_trashed else "stays", True)


@retention.command(short_help="Let a pinned checkpoint go by the policy again.")
@click.argument("checkpoint", metavar="CHECKPOINT|PATH")
@json_option
def unpin(checkpoint: str, as_json: bool) -> None:
    """Let a pinned checkpoint go by the policy again. What else protects it still does.

    \b
    neat retention unpin runs/baseline/checkpoints/step_5000.pt
    """
    opened = open_here(warn=False)
    run, one = find_checkpoint(opened, checkpoint)
    if not checkpoints.unpin(opened.records, one.id):
        raise NeatError(
            f"{one.path} of {run.name} is not pinned", "`neat retention plan` shows what keeps a checkpoint"
        )
    still = checkpoints.pins(opened.records, run.id).get(one.id, ())
    _pinned(as_json, run, one, f"stays all the same: {still[0]}" if still else "goes by the policy again", False)


def _pinned(as_json: bool, run: Run, one: Checkpoint, said: str, is_pinned: bool) -> None:
    if as_json:
        print_json({"id": one.id, "run": run.name, "path": one.path, "pinned": is_pinned})
    else:
        click.echo(f"{one.path} of {run.name} {said}")


retention.add_command(undo)
