"""Alerts: told once, later where it fails, never holding anything up, and never with a secret in what is said of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from neatd.actions.channels import load_alerts
from neatd.actions.sending import Message, Sending
from neatd.errors import ConfigError
from neatd.store import events
from tests.alerts_made import KEY, Desk, Hook, desk, hooked, kill, settings
from tests.cli_place import Cli
from tests.conftest import until
from tests.cost import at_most


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    (made.root / "neat.yaml").write_text('id: "0f4c2a52-7a52-4b1c-9a1b-3f3a3c1d5e6f"\n')
    return made


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as server:
        yield server


def log_of(cli: Cli) -> list[str]:
    path = cli.home / "logs" / "alerts.log"
    return path.read_text().splitlines() if path.exists() else []


def everything_kept(cli: Cli) -> bytes:
    """All bytes that lie under NEAT_HOME but the settings themselves."""
    paths = [path for path in cli.home.rglob("*") if path.is_file() and path.name != "alerts.yaml"]
    return b"".join(path.read_bytes() for path in paths)


def test_an_alert_arrives_with_what_a_person_needs(cli: Cli, hook: Hook) -> None:
    """Run, rule, value, step, project and the command to look closer; the row is sent, and the log has a line."""
    with desk(cli, f'name: team, url: "{hook.url()}"') as at:
        at.fires(120)
        at.turns()
        assert at.statuses() == ["sending"]
        at.alerting.finish(30.0)  # a daemon that ends waits a moment: a restart sends nothing twice
        assert at.statuses() == ["sent"]
        at.begin()
        at.settled()
    (got,) = hook.got
    event = cli.json("events")[0]["id"]
    assert got["title"] == "critical non-finite in runs/a (project)" and got["type"] == "failure"
    for part in (
        "non-finite at 120",
        "run runs/a",
        "rule non-finite",
        "value 120",
        "step 120",
        f"neat show {event[:12]}",
    ):
        assert part in got["message"]
    assert cli.ok("show", event[:12]) and hook.paths == [f"/hook/{KEY}"]
    (line,) = log_of(cli)
    assert "critical non-finite in runs/a (project): non-finite at 120" in line


def test_the_alert_is_in_the_transaction_of_its_event(cli: Cli) -> None:
    """An event that was there before, or that was rolled back, asks for nothing; one that does not alert neither."""
    with desk(cli) as at:
        at.fires(1)
        at.fires(1, time=None)
        at.fires(1, time=None)
        at.fires(2, severity="warning", then=("event",))
        assert [status for status, _ in at.asked()] == ["pending", "pending"]


def test_critical_mishaps_alert_and_others_do_not(cli: Cli) -> None:
    """What goes wrong around a run is told when it is critical, by the log without any channel."""
    with desk(cli) as at:
        events.add_mishap(at.scene.records, "memory", "85 % of the memory is used", "m1", "critical")
        events.add_mishap(at.scene.records, "memory", "70 % of the memory is used", "m2", "warning")
        at.turns()
        assert at.asked() == [("logged", "no other channel is set up")]
    (shown,) = [line for line in cli.ok("alerts", "list").splitlines() if "85 %" in line]
    assert " log " in shown and " logged " in shown and "no other channel is set up" in shown
    assert [line.split(": ", 1)[1].split(" (")[0] for line in log_of(cli)] == ["85 % of the memory is used"]


@pytest.mark.parametrize(
    ("top", "status", "why"),
    [
        ("", "logged", "no channel wants it besides the log"),
        ("log: false\n", "skipped", "no channel wants it, and the log is off"),
    ],
)
def test_what_no_channel_wants_says_what_became_of_it(cli: Cli, hook: Hook, top: str, status: str, why: str) -> None:
    """In the log it was told; with the log off nobody was."""
    with desk(cli, f'name: team, url: "{hook.url()}", rules: [other]', top=top) as at:
        at.fires(1)
        at.turns()
        assert at.asked() == [(status, why)]
    assert len(log_of(cli)) == (status == "logged")


def test_channels_take_what_they_ask_for(cli: Cli, hook: Hook) -> None:
    """By the least severity, patterns of rules, and projects."""
    channels = ("severity: critical", "severity: info, rules: [best-*]", "severity: info, projects: [other]",
                "severity: info, projects: [project]")  # fmt: skip
    named = [f'name: c{n}, url: "{hook.url()}", {one}' for n, one in enumerate(channels)]
    with desk(cli, *named, top="log: false\n") as at:
        at.alerting.most = 0
        at.fires(1, "best-loss", "info")
        at.fires(2, "spike", "warning")
        at.fires(3, "non-finite", "critical")
        at.turns(1)
        found = [(one["channel"], one["event_id"]) for one in at.rows()]
    names = {one["id"]: one["rule"] for one in cli.json("events")}
    assert [(channel, names[event]) for channel, event in found] == [
        ("c1", "best-loss"), ("c3", "best-loss"), ("c3", "spike"), ("c0", "non-finite"), ("c3", "non-finite"),
    ]  # fmt: skip
    assert log_of(cli) == []


def test_a_channel_that_is_added_later_is_not_told_of_what_was(cli: Cli, hook: Hook) -> None:
    """Who is told is settled when the event is there."""
    with desk(cli) as at:
        at.fires(1)
        at.turns()
        settings(cli.home, f'name: team, url: "{hook.url()}"')
        at.alerting.most = 0
        at.turns()
        assert at.rows() == []
        at.fires(2)
        at.turns()
        assert len(at.rows()) == 1


def test_what_never_arrives_is_given_up_with_an_event_that_alerts_nobody(cli: Cli, hook: Hook) -> None:
    """Five tries over an hour and a quarter, then a warning that says which channel and why."""
    hook.shutdown()
    hook.server_close()  # nothing listens
    with desk(cli, f'name: team, url: "{hook.url()}"') as at:
        at.alerting.most = 0
        at.fires(1)
        at.turns()
        at.alerting.most = 1
        at.set_tries(4)
        at.settled()
        assert at.statuses() == ["failed"] and at.rows()[0]["tries"] == 5
        (said,) = at.said("alert-failed")
        assert "non-finite could not be sent by channel team, tried 5 times: no connection" in said
        at.turns()
        assert len(at.asked()) == 1
    assert KEY.encode() not in everything_kept(cli)


def test_many_of_a_kind_are_one_message_and_the_rest_is_counted(cli: Cli, hook: Hook) -> None:
    """In the quiet time of a rule in a run there is no second message; what came meanwhile is counted in the next."""
    with desk(cli, f'name: team, url: "{hook.url()}", quiet_s: 300') as at:
        at.fires(1)
        at.settled()
        for step in range(2, 15):
            at.fires(step)
        at.turns()
        assert len(hook.got) == 1 and at.statuses() == ["sent", *["pending"] * 13]
        at.passes(301)
        at.settled()
        assert len(hook.got) == 2 and "and 12 more, the last at step 14" in hook.got[1]["message"]
        assert "step 2," in hook.got[1]["message"]
        at.passes(301)
        at.settled()
        assert len(hook.got) == 2 and sorted(set(at.statuses())) == ["sent", "told"]


def test_what_is_refused_is_tried_again_later_and_no_secret_is_told(
    cli: Cli, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 30 seconds it arrives, once. A secret in the file and one from the environment are nowhere: not listed, not
    kept, not in what the failure says."""
    other, hook.answers = "Env1ronmentSecret", [403]
    monkeypatch.setenv("HOOK_KEY", other)
    url = f"json://127.0.0.1:{hook.server_port}/${{HOOK_KEY}}?+X-Key={KEY}"
    with desk(cli, f'name: team, url: "{url}"') as at:
        at.fires(1)
        at.settled()
        (row,) = at.rows()
        assert (row["status"], row["tries"]) == ("pending", 1) and "HTTP 403" in row["note"]
        listed = "".join(cli.ok(*words) for words in (("alerts", "list"), ("alerts", "list", "--json"), ("events",)))
        at.passes(29)
        at.turns()
        assert at.rows()[0]["tries"] == 1
        at.passes(2)
        at.settled()
        at.turns()
        assert at.statuses() == ["sent"] and len(hook.got) == 1 and hook.paths == [f"/{other}"] * 2
    assert "json://… $HOOK_KEY" in listed and "refuses the key in the address" in listed
    for secret in (other, KEY):
        assert secret not in listed and secret.encode() not in everything_kept(cli)


def test_what_was_on_its_way_when_the_daemon_died_comes_once_more_and_no_oftener(cli: Cli, hook: Hook) -> None:
    """The message says that it may be there already; a second crash gives it up."""
    with desk(cli, f'name: team, url: "{hook.url()}"') as at:
        at.alerting.most = 0
        at.fires(1)
        at.turns()
        kill(at.scene)
        at.begin()
        at.settled()
        assert len(hook.got) == 1 and "you may have it already" in hook.got[0]["message"]
        assert at.statuses() == ["sent"]
        for status in ("pending", "failed"):
            kill(at.scene)
            at.begin()
            at.alerting.most = 0
            at.turns()
            assert at.statuses() == [status]


def test_a_slow_service_holds_nothing_up(cli: Cli, hook: Hook) -> None:
    """Turns go on while one is waited for, others are sent meanwhile, and one that never answers is a try that failed."""
    hook.gate.clear()
    with hooked() as quick, desk(cli, f'name: slow, url: "{hook.url()}"', f'name: quick, url: "{quick.url()}"') as at:
        at.fires(1)
        at.turns()
        with at_most(0.2):
            at.turns(20)
        until(lambda: at.turns() or "sent" in at.statuses(), "the message by the quick one")
        assert len(quick.got) == 1 and hook.got == [] and sorted(at.statuses()) == ["sending", "sent"]
        at.expire()
        at.settled()
        by_channel = {one["channel"]: one for one in at.rows()}
        assert by_channel["quick"]["status"] == "sent" and by_channel["slow"]["status"] == "pending"
        assert by_channel["slow"]["note"] == "no answer within 30 s"


def test_nobody_is_told_of_what_was_over_before_neat_came(cli: Cli, hook: Hook) -> None:
    """A run of last month that is found today, and an alert that waited for a day."""
    with desk(cli, f'name: team, url: "{hook.url()}"') as at:
        with at.scene.records as store:
            old = (datetime.now(UTC) - timedelta(days=30)).isoformat()
            store.execute("UPDATE run SET started_at = ? WHERE id = ?", (old, at.run.id))
        at.fires(1, time=(datetime.now(UTC) - timedelta(days=29)).timestamp())
        at.turns()
        assert at.asked() == [("skipped", "it happened before neat watched the run")] and log_of(cli) == []
        at.fires(2)
        at.passes(90_000)
        at.turns()
        assert at.asked()[1] == ("skipped", "it was not sent within a day")
        at.ahead, at.alerting.most = timedelta(), 0
        at.fires(3)
        at.turns()
        at.passes(200_000)
        at.turns()
        assert [one["note"] for one in at.rows("skipped")] == ["it was not sent within two days"] and hook.paths == []


def test_a_mistake_in_the_settings_is_told_and_the_last_good_ones_stay(cli: Cli, hook: Hook) -> None:
    """With file, line and field, and never with a value: it may be an address."""
    with desk(cli, f'name: team, url: "{hook.url()}"') as at:
        at.turns()
        path = settings(cli.home, f'name: team, url: "{hook.url()}", severity: grave', f'name: b, url: "{KEY}"')
        old = datetime.now(UTC).timestamp() - 10
        os.utime(path, (old, old))
        at.turns()
        (said,) = at.said("alerts-mistake")
        assert "alerts.yaml:2: channels[0].severity: must be one of: info, warning, critical" in said
        assert "alerts.yaml:3: channels[1].url: is no Apprise address" in said and KEY not in said
        at.alerting.most = 0
        at.fires(1)
        at.turns()
        assert [one["channel"] for one in at.rows()] == ["team"]


@pytest.mark.parametrize(
    "text",
    [
        f"channels: [json://host/{KEY}]",
        f"channels: {{name: a, url: json://host/{KEY}}}",
        f"channels: json://host/{KEY}",
        f"channels: [{{name: a, url: [json://host/{KEY}]}}]",
        f"channels: [{{name: a, json://host/{KEY}: warning}}]",
        f"channels: [{{name: json://host/{KEY}, url: json://a}}]",
        f"channels: [{{name: log, url: json://host/{KEY}}}]",
        f"channels: [{{name: a, url: json://host/{KEY}}}, {{name: a, url: json://host/{KEY}}}]",
        f"channels: [{{name: a, url: '{KEY}${{'}}]",
        f"json://host/{KEY}",
        f"channels:\n  - name: a\n   url: json://host/{KEY}\n",
    ],
)
def test_no_mistake_of_the_settings_shows_an_address(tmp_path: Path, text: str) -> None:
    """Whatever is wrong with the file, its values stay in it."""
    (tmp_path / "alerts.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_alerts(tmp_path)
    assert "alerts.yaml:" in str(caught.value) and KEY not in str(caught.value)


def test_a_test_message_is_a_real_one_and_says_what_came_of_it(cli: Cli, hook: Hook) -> None:
    """Sent, refused, not reached, with a variable that is not set, to no service: each in words, exit code 1 for a failure."""
    settings(cli.home, f'name: good, url: "{hook.url()}"')
    assert cli.ok("alerts", "test") == "good: sent\n" and hook.got[0]["title"] == "neat: test message"
    hook.answers = [404]
    settings(
        cli.home,
        f'name: bad, url: "{hook.url()}"',
        'name: unset, url: "slack://${NOT_SET_ANYWHERE}"',
        f'name: nothing, url: "nosuchservice://{KEY}"',
    )
    answer = cli("alerts", "test")
    assert answer.code == 1 and answer.out.splitlines() == [
        "bad: the service knows no such place (HTTP 404)",
        "unset: the environment variable NOT_SET_ANYWHERE is not set where it was sent from",
        "nothing: it is no address that Apprise knows; its services and how their addresses are written: `apprise --details`",
    ]
    assert "3 of 3 could not be sent: bad, unset, nothing" in answer.err and KEY not in answer.err
    assert "not set here" in cli.ok("alerts", "list")
    assert "no channel is called 'x'" in cli.refused("alerts", "test", "--channel", "x")
    assert cli.json("alerts", "test", "--channel", "log")[0]["sent"] and "A test of neat's alerts" in log_of(cli)[-1]
    settings(cli.home)
    assert "no channels in" in cli.refused("alerts", "test")


def test_secrets_of_a_project_are_not_in_messages(cli: Cli, hook: Hook) -> None:
    """Its own patterns count too."""
    with (cli.root / "neat.yaml").open("a") as file:
        file.write('secrets: ["internal-[0-9]{6}"]\n')
    with desk(cli, f'name: team, url: "{hook.url()}"') as at:
        from neatd.pipeline.configuring import reload_config

        for project in at.scene.projects.values():
            reload_config(at.scene, project)
        at.alerting.most = 0
        at.fires(1, message="loss of internal-123456 is NaN")
        at.turns()
    assert "internal-" not in log_of(cli)[0] and "loss of [secret removed] is NaN" in log_of(cli)[0]


def test_a_sender_that_breaks_off_says_so(tmp_path: Path) -> None:
    """Whatever becomes of its process, there is an answer."""
    sending = Sending("json://127.0.0.1:1/x", Message("t", "b", "info"), tmp_path)
    psutil.Process().children()[-1].kill()
    assert sending.finish() == sending.answer() == f"the sender broke off (exit code {-signal.SIGKILL})"


def test_nothing_to_do_costs_next_to_nothing(cli: Cli) -> None:
    """A thousand turns of an idle daemon."""
    with desk(cli) as at:
        at.turns()
        with at_most(0.1):
            for _ in range(1000):
                at.alerting.turn(is_sweep=False)
        assert isinstance(at, Desk)
