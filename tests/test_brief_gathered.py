"""The brief from a store: what is gathered for it, what never leaves the machine, and how long ten thousand records take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neatd.config import ProjectConfig
from neatd.kinds import KINDS
from neatd.models import Project
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
