"""Alerts: who is told of what, what became of them, and a message to see that it arrives."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from neatd.actions.addresses import shown, variables_of
from neatd.actions.alertlog import log_path, write_log
from neatd.actions.channels import AlertSettings, Channel, alerts_path, load_alerts
from neatd.actions.sending import Message, Sending
from neatd.assist.render import one_line, when
from neatd.cli.common import Open, json_option, open_here, print_json, print_table
from neatd.errors import NeatError
from neatd.place import neat_home, short_path
from neatd.redact_own import redactor
from neatd.store import alerts as store

MOST = 30
_EXAMPLE = 'channels: [{name: team, url: "slack://${SLACK_TOKENS}"}]'


@click.group(short_help="Who is told of alerts; send a test message.")
def alerts() -> None:
    """Who is told of alerts; send a test message.

    Channels are in alerts.yaml under NEAT_HOME, yours alone: nothing of it is taken from a repository. Addresses are
    those of Apprise: https://appriseit.com. What stands in them is never shown.
    """


@alerts.command("list", short_help="List the channels, and the last alerts.")
@json_option
def alerts_list(as_json: bool) -> None:
    """List the channels, and the last alerts with what became of them.

    \b
    neat alerts list
    neat alerts list --json
    """
    opened = open_here()
    settings, recent = load_alerts(opened.home), _recent(opened)
    shapes = [_shape(one) for one in settings.channels]
    if as_json:
        print_json({"log": settings.log, "bell": settings.bell, "channels": shapes, "alerts": recent})
        return
    rows = [
        (
            one["name"], one["to"], one["severity"], ", ".join(one["rules"]), ", ".join(one["projects"]) or "all",
            f"{one['quiet_s']:g} s", _unset(one["not_set"]),
        )
        for one in shapes
    ]  # fmt: skip
    where = short_path(alerts_path(opened.home))
    print_table(("channel", "to", "least", "rules", "projects", "quiet", ""), rows, f"no channels in {where}")
    path = short_path(log_path(opened.home))
    click.echo(f"log: {path if settings.log else 'off'}; bell: {'on' if settings.bell else 'off'}")
    print_table(
        ("at", "channel", "status", "what", "note"),
        [(when(one["at"]), _where(one), one["status"], one["what"], one["note"]) for one in recent],
        "no alerts yet",
    )


def _shape(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name, "to": shown(channel.url), "severity": channel.severity, "rules": channel.rules,
        "projects": channel.projects, "quiet_s": channel.quiet_s, "variables": variables_of(channel.url),
        "not_set": [name for name in variables_of(channel.url) if not os.environ.get(name)],
    }  # fmt: skip


def _where(one: dict[str, Any]) -> str:
    return one["channel"] or ("log" if one["status"] == "logged" else "—")


def _unset(names: list[str]) -> str:
    return f"{', '.join(names)} not set here" if names else ""


def _recent(opened: Open) -> list[dict[str, Any]]:
    hide = redactor(opened.root)
    return [
        {
            "event": event.id, "channel": alert.channel, "status": alert.status, "tries": alert.tries,
            "at": alert.created_at, "next_at": alert.next_at if alert.status == "pending" else None,
            "rule": event.rule, "severity": event.severity, "what": one_line(hide(event.message), 80),
            "note": one_line(hide(alert.note), 100),
        }
        for alert, event in store.newest(opened.records, opened.project.id, MOST)
    ]  # fmt: skip


@alerts.command("test", short_help="Send a test message.")
@click.option("--channel", "name", metavar="NAME", help="Only by this one; `log` is one, too.")
@json_option
def alerts_test(name: str | None, as_json: bool) -> None:
    """Send a real message by every channel, or by one, and say what came of it.

    It is sent from this terminal: variables that an address needs have to be set here now, and where neatd is started.

    \b
    neat alerts test
    neat alerts test --channel team
    """
    home = neat_home()
    found = [_tried(one, home) for one in _chosen(load_alerts(home), name)]
    if as_json:
        print_json(found)
    else:
        for one in found:
            click.echo(f"{one['channel']}: {'sent' if one['sent'] else one['why']}")
    failed = [one["channel"] for one in found if not one["sent"]]
    if failed:
        hint = f"mend {short_path(alerts_path(home))} or the service, then `neat alerts test --channel {failed[0]}`"
        raise NeatError(f"{len(failed)} of {len(found)} could not be sent: {', '.join(failed)}", hint)


def _chosen(settings: AlertSettings, name: str | None) -> list[Channel | str]:
    where = alerts_path(neat_home())
    if name == "log":
        return ["log"]
    chosen: list[Channel | str] = [one for one in settings.channels if name in (None, one.name)]
    if not chosen and name is not None:
        known = ", ".join([*(one.name for one in settings.channels), "log"])
        raise NeatError(f"no channel is called {name!r} in {where}", f"there are {known}")
    if not chosen:
        raise NeatError(f"no channels in {where}", f"write one there: {_EXAMPLE}")
    return chosen


def _tried(channel: Channel | str, home: Path) -> dict[str, Any]:
    body = "A test of neat's alerts: this is how they arrive."
    if isinstance(channel, str):
        at = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        write_log(home, [f"{at} {body}"])
        return {"channel": channel, "sent": True, "why": ""}
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    why = Sending(channel.url, Message("neat: test message", body, "info"), home).finish()
    return {"channel": channel.name, "sent": why == "", "why": why or ""}
