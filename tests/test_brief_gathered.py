"""The brief from a store: what is gathered for it, what never leaves the machine, and how long ten thousand records take."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from neatd.config import ProjectConfig
from neatd.kinds import KINDS
from neatd.models import Project
from neatd.pipeline import choosing, experiments, gathering
from neatd.pipeline.gathering import brief_text
from neatd.place import here
from neatd.store import projects
from neatd.store.connection import transaction
from neatd.store.short import insert_record, record_row
from tests.cli_place import Cli
from tests.cost import at_most

ADDRESSES = ("203.0.113.7", "2222", ".ssh", "gpu-7.example")


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    made = Cli(tmp_path, monkeypatch, capsys)
    made.init()
    return made


def keep_machine(cli: Cli) -> None:
    cli.ok("machine", "the VM, ssh -p 2222 root@203.0.113.7", "--host", "root@203.0.113.7", "--port", "2222",
           "--key", "~/.ssh/cloud", "--gpu", "A100")  # fmt: skip
    cli.ok("service", "boards", "--url", "http://gpu-7.example:6006", "--about", "curves")


def test_no_address_reaches_a_document_or_its_facts(cli: Cli) -> None:
    """Not the brief, not its JSON, not the facts that a project's own template is given."""
    keep_machine(cli)
    (cli.root / ".neat" / "templates").mkdir()
    own = "{% for one in facts.machines %}{{ one.host }}{{ one.port }}{{ one.key }}{{ one.title }}{% endfor %}"
    (cli.root / ".neat" / "templates" / "mine.md.j2").write_text(own + "{{ facts.services[0].url }}")
    texts = [cli.ok("brief"), json.dumps(cli.json("brief")), cli.ok("handoff", "--template", "mine")]
    assert "GPU A100" in texts[0] and "boards [curves]" in texts[0]
    for text in texts:
        assert not [address for address in ADDRESSES if address in text]


def test_addresses_are_shown_where_the_user_allowed_it(cli: Cli) -> None:
    """The consent is this folder's on this machine, kept in the store of the user."""
    keep_machine(cli)
    with cli.store() as store:
        projects.allow(store, cli.root, "addresses")
    text = cli.ok("brief")
    assert "; host root@203.0.113.7, port 2222, key ~/.ssh/cloud" in text and "http://gpu-7.example:6006" in text


def test_all_kinds_of_a_store_are_gathered_and_closed_ones_are_not_shown(cli: Cli) -> None:
    """Each kind's command makes a record that stands in the brief until it is ended."""
    kept = {}
    for kind in ("note", "insight", "lesson", "challenge", "goal", "assessment", "command", "style", "service"):
        kept[kind] = cli.keep(kind, f"my own {kind}")
    text = cli.ok("brief")
    assert not [kind for kind in kept if f"my own {kind}" not in text]
    for record_id in kept.values():
        cli.ok("close", record_id)
    assert "my own" not in cli.ok("brief")


def rows_of(text: str) -> list[str]:
    """The names of the runs in the table of a brief, in order."""
    return [line.split(" | ")[0].removeprefix("| runs/") for line in text.splitlines() if line.startswith("| runs/")]


def test_what_runs_now_and_the_best_are_told_of_before_the_rest(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """However old they are, and however many poor ones were found since. The table is ordered as its title says; what has
    no room is counted."""
    for name, number in (("MOST_RUNS", 12), ("MOST_NOW", 2), ("MOST_BEST", 10), ("MOST_LATELY", 2)):
        monkeypatch.setattr(choosing, name, number)
    old, now = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC)

    def found(name: str, loss: float, **fields: Any) -> None:
        cli.add_run(f"runs/{name}", {"val/loss": [loss]}, **{"started_at": old, "ended_at": old, **fields})

    found("long", 9.0, status="running", ended_at=None)
    found("hi", 0.125)
    found("base", 3.0)
    cli.ok("baseline", "runs/base")
    found("today", 8.0, started_at=now)
    for number in range(8):
        found(f"sweep-{number}", 4.0 - number / 8)
    for number in range(9):
        found(f"poor-{number}", 7.0 + number / 8)
    text = cli.ok("brief", "--budget", "100000")
    assert "## Experiments by val/loss (lower is better; what runs now comes first)" in text
    sweep = [f"sweep-{number}" for number in reversed(range(8))]
    assert rows_of(text) == ["long", "base", "hi", *sweep, "today"]
    assert "Left out: 9 runs (`neat runs`)." in text
    small = rows_of(cli.ok("brief", "--budget", "1400"))
    assert small[:3] == ["long", "base", "hi"] and small[-1] == "today" and sweep[-1] not in small


def test_events_are_told_by_their_gravity_with_the_run_they_are_of(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Infos of best values do not crowd out what went wrong, and of no run only those that are in the table are named."""
    monkeypatch.setattr(gathering, "MOST_EVENTS", 5)
    monkeypatch.setattr(choosing, "MOST_RUNS", 2)
    grave = cli.add_run("runs/nan", {"loss": [1.0]})
    cli.add_event(grave, "non-finite", 3, 1.0, severity="critical")
    cli.add_event(grave, "spike", 4, 1.0, severity="warning")
    cli.add_event(grave, "plateau", 5, 1.0, severity="info")
    for number in range(6):
        trial = cli.add_run(f"runs/trial-{number}", {"loss": [1.0]})
        cli.add_event(trial, "best-loss", number, 1.0, severity="info", condition="best")
    text = cli.ok("brief")
    assert "runs/nan" not in rows_of(text)
    told = [line.partition(":")[0] for line in text.partition("## Events\n")[2].splitlines() if line.startswith("- ")]
    infos = [f"- info best-loss in runs/trial-{number}" for number in (5, 4)]
    assert told == [
        "- critical non-finite in runs/nan", "- warning spike in runs/nan", "- info plateau in runs/nan", *infos
    ]  # fmt: skip
    assert "4 events (`neat events`)" in text


@pytest.mark.slow
def test_ten_thousand_records_are_gathered_and_written_in_time(cli: Cli) -> None:
    """From the store to the text. The bound leaves room for a slow machine: the brief itself is bounded elsewhere."""
    place = here()
    kinds = [kind for kind in KINDS if kind not in ("preference", "handoff")]
    with cli.store() as store, cli.store("points") as series:
        with transaction(store):
            for number in range(10_000):
                kind = kinds[number % len(kinds)]
                insert_record(store, kind, record_row(kind, place, {"title": f"{kind} {number}: dice 0.31"}, "person"))
        project = Project(id=place.project_id, name="p", root=str(cli.root))
        with at_most(1.5):
            text = brief_text(store, series, project, ProjectConfig(id=place.project_id))
    assert 5000 < len(text.encode()) <= 6000 and text.count("(unverified)") > 20


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (0.001, 0.006317577782909635, "0.001 -> 0.00631758"), (64, 128, "64 -> 128"), ("adam", "sgd", "adam -> sgd"),
        (0.1234567891, 0.1234567892, "0.1234567891 -> 0.1234567892"), (1e-05, 0.30000000000000004, "1e-05 -> 0.3"),
    ],
)  # fmt: skip
def test_a_number_of_many_digits_is_told_in_few(before: object, after: object, told: str) -> None:
    """Unless that would hide what differs."""
    assert experiments._change(before, after) == told
