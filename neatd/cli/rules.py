"""Rules read: which are in force and where they stand, what is wrong in a file, what one would have said of a run; and the
end of the pauses that they made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neatd.assist.render import one_line, when
from neatd.cli.common import json_option, open_here, print_json, print_table
from neatd.cli.ruleshown import at_rest, broken_shape, broken_words, idle, origin, rule_shape, rule_text, shipped_text
from neatd.cli.tried import print_tried, tried_shape
from neatd.errors import ConfigError
from neatd.pipeline.ruleset import rule_named, rule_of, rules_here
from neatd.pipeline.trying import Seen, Window, try_rule
from neatd.place import find_root, neat_home, project_identity
from neatd.rules.load import load_rule
from neatd.store import pauses, runs

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SHOWN_AFTER_S = 1.0


@click.group(short_help="List the rules, check rule files, try a rule on a stored run.")
def rules() -> None:
    """List the rules, check rule files, try a rule on a stored run."""


@rules.command("list", short_help="List the rules in force here.")
@json_option
def rules_list(as_json: bool) -> None:
    """List the rules in force here: the shipped ones, yours, the project's, by name, and which file each is from.

    \b
    neat rules list
    """
    opened = open_here(warn=False)
    known = rules_here(opened.home, opened.root, opened.project.id)
    for mistake in known.mistakes:
        click.echo(f"mistake: {mistake.message}", err=True)
    if as_json:
        print_json([*(rule_shape(one) for one in known.rules), *(broken_shape(one) for one in idle(known))])
        return
    rows: list[tuple[str, ...]] = [
        (
            one.rule.rule, one.state, one.rule.when.condition, ", ".join(one.rule.metrics),
            one.rule.severity, ", ".join(one.rule.then), origin(one), one_line(one.rule.description, 80),
        )
        for one in known.rules
    ]  # fmt: skip
    rows += [(one.path.name, "broken", "", "", "", "", broken_words(one), "") for one in idle(known)]
    print_table(("rule", "", "condition", "metrics", "severity", "then", "from", "what it looks for"), rows, "no rules")


@rules.command("show", short_help="Show a rule as it judges here, and where it is from.")
@click.argument("name")
@click.option("--shipped", is_flag=True, help="The file of the shipped rule instead, as it is.")
@json_option
def rules_show(name: str, shipped: bool, as_json: bool) -> None:
    """Show a rule as it judges here, with all its defaults: its state, the file and line it is from, and what it says
    otherwise than the rule whose place it takes.

    What is printed is the file of a rule: put it into .neat/rules/ to change it there, or to switch it off: enabled: false.

    \b
    neat rules show spike
    neat rules show spike --json
    neat rules show spike --shipped > .neat/rules/spike.yaml
    """
    if shipped:
        click.echo(shipped_text(name), nl=False)
        return
    root = find_root(Path.cwd().resolve())
    known = rules_here(neat_home(), root, project_identity(root)[0] if root else "")
    one = at_rest(rule_named(name, known))
    if as_json:
        print_json(rule_shape(one))
    else:
        click.echo(rule_text(one), nl=False)


@rules.command("check", short_help="Check rule files.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def rules_check(files: tuple[Path, ...], as_json: bool) -> None:
    """Check rule files; every mistake of each is named with its file, line, field and value.

    \b
    neat rules check .neat/rules/spike.yaml
    neat rules check .neat/rules/*.yaml
    """
    good, mistakes = [], []
    for file in files:
        try:
            good.append((file, load_rule(file)))
        except ConfigError as error:
            mistakes.append(error)
    if mistakes:
        raise ConfigError("\n".join(one.message for one in mistakes), mistakes[0].hint)
    if as_json:
        print_json(good[0][1] if len(good) == 1 else [rule for _, rule in good])
        return
    for file, rule in good:
        click.echo(f"{file}: {rule.rule} is good ({rule.when.condition}, {'on' if rule.enabled else 'off'})")


@rules.command("test", short_help="Try a rule on a stored run.")
@click.argument("word", metavar="FILE|NAME")
@click.option("--run", "run_word", metavar="ID", required=True, help="The run, by id or name.")
@click.option("--from", "first", type=int, metavar="STEP", help="Tell only what fires from this step on.")
@click.option("--to", "last", type=int, metavar="STEP", help="Tell only what fires up to this step.")
@json_option
def rules_test(word: str, run_word: str, first: int | None, last: int | None, as_json: bool) -> None:
    """Try a rule on a stored run: what it would have told and saved, beside what was told. Changes nothing.

    It sees the run from its first line on, as it would have while the run was written. A rule that is off is tried, too.

    \b
    neat rules test spike --run baseline
    neat rules test .neat/rules/mine.yaml --run r-9x4k --from 1000 --to 5000 --json
    """
    opened = open_here(warn=False)
    placed = rule_of(word, rules_here(opened.home, opened.root, opened.project.id))
    if placed.broken:
        click.echo(f"note: {one_line(broken_words(placed.broken), 400)}, and is tried here", err=True)
    run = runs.find_run(opened.records, run_word, opened.project.id)
    with _progress(run.name) as seen:
        tried = try_rule(opened.records, opened.points, run, placed.rule, Window(first, last), seen)
    if as_json:
        print_json(tried_shape(placed, run, tried))
    else:
        print_tried(placed, run, tried)


@rules.command("go-on", short_help="Let jobs begin again that a rule held up.")
@json_option
def rules_go_on(as_json: bool) -> None:
    """Let jobs of this project begin again, after a rule whose `then` has `pause_queue` held them up.

    Says what was paused, and by which events. Their next events may pause it anew.

    \b
    neat rules go-on
    """
    opened = open_here()
    ended = pauses.go_on(opened.records, opened.project.id)
    if as_json:
        print_json([one._asdict() for one in ended])
        return
    for one in ended:
        click.echo(f"paused since {when(one.since)} by {one.event[:9]}: {one_line(one.reason, 300)}")
    click.echo("jobs of this project begin again" if ended else "nothing was paused in this project")


@contextmanager
def _progress(name: str) -> Iterator[Seen]:
    """A bar on stderr for what takes longer than a second."""
    begun = time.monotonic()
    shown: list[tuple[Progress, TaskID]] = []

    def seen(done: int, every: int) -> None:
        if not shown and time.monotonic() - begun > SHOWN_AFTER_S and done < every:
            from rich.console import Console
            from rich.progress import Progress

            bar = Progress(console=Console(stderr=True), transient=True)
            shown.append((bar, bar.add_task(name)))
            bar.start()
        for bar, task in shown:
            bar.update(task, completed=done, total=every)

    try:
        yield seen
    finally:
        for bar, _ in shown:
            bar.stop()
