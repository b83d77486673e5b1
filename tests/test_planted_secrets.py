"""Secrets planted wherever neat takes something in: none is in a document, an export, an answer, a log, a page or the store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path

import pytest

from neatd.kinds import FIELDS, JSON_FIELDS, KINDS
from neatd.lifesign import read_state
from neatd.models import GitState, ProcessFact
from neatd.place import here
from neatd.store import events, jobs, requests
from neatd.store.short import add_record, leave_in_inbox, record_row
from tests.cli_place import Cli
from tests.conftest import Neat, until
from tests.secrets_made import ALL, BY_NAME, KNOWN, Planted, key_block, made, parts

PASSWORD = "q7!Violet-" + made(8)
MORE = [
    Planted("url", "", f"postgres://me:{PASSWORD}@db.example:5432/runs"),
    *(Planted(f"line {n}", "", line) for n, line in enumerate(key_block().split("\n")[1:-1])),
]
BLOCK = "\n".join(
    ["-----BEGIN RSA PRIVATE KEY-----", *(one.secret for one in MORE[1:]), "-----END RSA PRIVATE KEY-----"]
)
IDS = {"supersedes", "parent", "after", "position", "records", "previous", "status"}  # of records, checked when written
TEMPLATES = ("handoff", "notes", "report", "claude")


def said() -> Iterator[str]:
    """Without end: each secret as people write it, then in a longer text."""
    known = [f"used {one.secret} for it" for one in KNOWN]
    named = [f"set {one.name}={one.secret} first" for one in BY_NAME]
    others = [f"runs are in {MORE[0].secret}", BLOCK, f"it lost 0.25\n\n{BLOCK}\n\nthen went on"]
    return cycle([*known, *named, *others])


def found_in(text: str | bytes) -> list[str]:
    """The secrets of which 12 characters are in a text."""
    text = text if isinstance(text, str) else text.decode("utf-8", "replace")
    return [f"{what}: {text[max(0, at - 60) : at + 40]!r}" for what, part in _pieces() if (at := text.find(part)) >= 0][
        :5
    ]


@cache
def _pieces() -> list[tuple[str, str]]:
    """(what it is of, 12 characters) of all secrets."""
    secrets = [*((one.what, one.secret) for one in (*ALL, *MORE[1:])), ("password of a url", PASSWORD)]
    return [(what, part) for what, secret in secrets for part in parts(secret)[::3]]


def files_below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def plant_records(cli: Cli) -> list[str]:
    """Records of all kinds, until each field has held several secrets and each secret was in a field; their ids."""
    ids, texts = [], said()
    for _ in range(3):
        for kind in KINDS:
            fields = {name: [next(texts), next(texts)] if name in JSON_FIELDS else next(texts)
                      for name in FIELDS[kind] if name not in IDS and _is_text(kind, name)}  # fmt: skip
            if "params" in fields:
                fields["params"] = {one.name: one.secret for one in BY_NAME} | {"lr": 0.1}
            ids.append(add_record(cli.home, here(), kind, fields, "person")[0])
    return ids


def _is_text(kind: str, name: str) -> bool:
    return {field.name: field.type for field in KINDS[kind].fields}.get(name, "text") not in ("number", "flag")


def plant_run(cli: Cli) -> str:
    """A run whose parameters, reason, process and git state hold them all, with events that repeat them."""
    texts = said()
    words = " ".join(f"--{one.name} {one.secret}" for one in BY_NAME)
    env = {one.name: one.secret for one in ALL} | {"wandb": {"key": BY_NAME[13].secret}}
    made_run = cli.add_run("runs/a", {"loss": [3.0, 2.0, 1.0]}, **{
        "config": {"env": env, "notes": [next(texts) for _ in range(80)]},
        "reason": f"exit code 1: {KNOWN[0].secret}",
        "process": ProcessFact(pid=1, started=1.0, command=f"python train.py {words}"),
        "git": GitState(is_repo=True, branch=f"try/{KNOWN[3].secret}", subject=next(texts), dirty=(f"{KNOWN[5].secret}.txt",),
                        untracked=tuple(f"keys/{one.secret.replace('/', '_')}.pem" for one in KNOWN)),
    })  # fmt: skip
    for number in range(90):
        cli.add_event(made_run, "loss-spike", number, 9.0 + number, message=next(texts))
    with cli.store() as store:
        project = here().project_id
        for number in range(90):
            text = next(texts)
            events.add_mishap(
                store, "step-failed", f"runs/a: ValueError: {text}", f"{number}|{text}", "warning", project
            )
        request = requests.ask(store, "launch", project, {})
        requests.set_request(store, request, "failed", {"error": next(texts), "hint": KNOWN[1].secret})
        job = jobs.add(store, project, "a", ["python", "a.py"], str(cli.root), "runs/a")
        jobs.set_job(store, job.id, status="failed", reason=f"no such file: {KNOWN[2].secret}")
    return made_run.id


def git(root: Path, *words: str) -> None:
    author = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *words], cwd=root, env=os.environ | author, check=True, capture_output=True, timeout=60)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """A project in a repository whose branch, last subject and new files are secrets themselves."""
    place = Cli(tmp_path, monkeypatch, capsys)
    git(place.root, "init", "-q", "-b", f"try-{KNOWN[10].secret}")
    place.init()
    git(place.root, "add", "-A")
    git(place.root, "commit", "-q", "-m", f"use {KNOWN[12].secret}, {BY_NAME[0].name}={BY_NAME[0].secret}")
    (place.root / f"key_{KNOWN[14].secret}.txt").write_text("x")
    return place


def test_no_record_holds_a_secret(cli: Cli) -> None:
    """Every kind and field: neither the store's files, with their history and search index, nor any answer has one."""
    ids = plant_records(cli)
    kept = cli.keep("note", f"typed {KNOWN[20].secret}", "--tag", KNOWN[21].secret)
    cli.ok("edit", kept, f"body={BY_NAME[5].name}: {BY_NAME[5].secret}")
    cli.ok("close", kept, "--outcome", f"password is {PASSWORD}")
    answers = [cli.ok("list"), *(cli.ok("list", kind, "--json") for kind in KINDS), cli.ok("search", "used", "--json")]
    answers += [cli.ok("show", one, *form) for one in (*ids, kept) for form in ((), ("--json",))]
    for text in answers:
        assert found_in(text) == []
    assert "[secret removed]" in answers[1]
    for path in files_below(cli.home):
        assert found_in(path.read_bytes()) == [], path


def test_no_document_and_no_export_holds_a_secret(cli: Cli) -> None:
    """The documents, the experiment table, the file that travels, what is said of runs and events, the doctor's answer."""
    plant_records(cli)
    run = plant_run(cli)
    cli.ok("baseline", "runs/a")
    answers = [cli.ok(*words) for words in (
        ("brief",), ("brief", "--budget", "60000"), ("brief", "--json"), ("runs",), ("runs", "--json"),
        ("run", "show", run), ("run", "show", run, "--json"), ("show", run, "--json"), ("events",), ("events", "--json"),
        ("table",), ("table", "--json"), ("table", "--csv"), ("sync", "--json"), ("list", "handoff", "--json"),
        ("snapshots", "--json"), ("data", "status"),
    )]  # fmt: skip
    answers += [cli.ok("handoff", "--template", name) for name in TEMPLATES]
    answers += [f"{one.out}{one.err}" for one in (cli("doctor"), cli("doctor", "--json"), cli("verify", "--json"))]
    for text in answers:
        assert found_in(text) == []
    for path in files_below(cli.home, cli.root / ".neat"):
        assert found_in(path.read_bytes()) == [], path
    assert (cli.root / ".neat" / "knowledge.jsonl").stat().st_size > 10_000


def test_what_lay_in_the_store_before_is_not_shown(cli: Cli) -> None:
    """A store of an earlier version may hold what this one would not have kept: documents and exports leave it out."""
    ids = {kind: add_record(cli.home, here(), kind, {"title": "x"}, "person")[0] for kind in KINDS}
    texts = said()
    with cli.store() as store:
        for kind, one in ids.items():
            for name in ("title", "body"):
                store.execute(f"UPDATE {kind} SET {name} = ? WHERE id = ?", (next(texts), one))
        store.commit()
    answers = [cli.ok("handoff", "--no-keep", "--template", name) for name in TEMPLATES]
    answers += [cli.ok("brief", "--budget", "60000"), cli.ok("sync")]
    answers.append((cli.root / ".neat" / "knowledge.jsonl").read_text())
    for text in answers:
        assert found_in(text) == []


def test_a_record_in_the_inbox_holds_no_secret(cli: Cli) -> None:
    """What a sandboxed assistant leaves there lies in the repository."""
    place, texts = here(), said()
    for _ in range(90):
        row = record_row(
            "note", place, {"title": next(texts), "body": next(texts), "tags": [next(texts)]}, "claude-code"
        )
        assert found_in(leave_in_inbox(cli.root, "note", row).read_bytes()) == []


def test_imported_notes_hold_no_secret(cli: Cli) -> None:
    """Nor does what is said of the lines that found no place."""
    texts = said()
    lines = [f"- {next(texts)}" if n % 3 else f"## {KNOWN[n % len(KNOWN)].secret}" for n in range(160)]
    notes = cli.root / "notes.md"
    notes.write_text(
        "# Session notes\n\n" + "\n".join(lines) + f"\n\n```\nexport OPENAI_API_KEY={KNOWN[8].secret}\n```\n"
    )
    for text in (
        cli.ok("import", "notes.md", "--dry-run"),
        cli.ok("import", "notes.md", "--json"),
        cli.ok("list", "--json"),
    ):
        assert found_in(text) == []
    for path in files_below(cli.home):
        assert found_in(path.read_bytes()) == [], path


def test_the_command_of_a_job_is_shown_without_its_secrets(cli: Cli) -> None:
    """It is kept as it is, since it is run; what is shown of it is not."""
    words = ["python", "train.py", "--api-key", BY_NAME[11].secret, f"--hub-token={KNOWN[14].secret}", "--lr", "0.1"]
    with cli.store() as store:
        job = jobs.add(store, here().project_id, "a", words, str(cli.root), "runs/a")
        assert list(jobs.get_job(store, job.id).command) == words
    assert jobs.shown_command(job) == [*words[:3], "[secret removed]", "--hub-token=[secret removed]", *words[5:]]
    mysql = job.model_copy(update={"command": ("mysql", "-u", "me", f"-p{PASSWORD}", "runs")})
    assert found_in(" ".join(jobs.shown_command(mysql))) == []


TRAINER = """import json, sys, time, pathlib
with open(pathlib.Path(sys.argv[1]) / "metrics.jsonl", "a") as file:
    for step in range(1, 4000):
        print(json.dumps({"step": step, "loss": 1 / step}), file=file, flush=True)
        time.sleep(0.05)
"""


def test_log_page_brief_and_store_of_a_daemon_hold_no_secret(neat: Neat) -> None:
    """A run with secrets on its command line and in its parameters, and a configuration whose mistakes quote them."""
    folder = neat.root / "runs" / "a"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({one.name: one.secret for one in ALL} | {"text": BLOCK, "lr": 0.1}))
    program = neat.root / "train.py"
    program.write_text(TRAINER)
    words = [f"--{BY_NAME[13].name}", BY_NAME[13].secret, KNOWN[11].secret]
    rules = neat.root / ".neat" / "rules"
    rules.mkdir(parents=True, exist_ok=True)
    (rules / "a.yaml").write_text(f"rule: {KNOWN[20].secret}\nwhen: {{password: {PASSWORD}}}\n")
    trainer = subprocess.Popen([sys.executable, str(program), str(folder), *words])
    try:
        neat.start()
        neat.wait_for_event_in_store("rules-mistake")
        with (neat.root / "neat.yaml").open("a") as file:
            file.write(f"watch: {{depth: {KNOWN[9].secret}}}\nretention: {BY_NAME[17].name}={BY_NAME[17].secret}\n")
        neat.wait_for_event_in_store("config-mistake")
        until(
            lambda: any(b"train.py" in path.read_bytes() for path in neat.home.glob("neat.db*")),
            "the run's process in the store",
            60,
        )
        url = read_state(neat.home)["url"]
        pages = [urllib.request.urlopen(url + path, timeout=10).read() for path in ("/", "/status.json")]
        said_of = [neat.call("neatd", "logs", "-n", "500").stdout, neat.call("neatd", "status", "--json").stdout]
    finally:
        trainer.kill()
        trainer.wait(timeout=30)
    neat.call("neatd", "stop")
    for text in (*pages, *said_of):
        assert found_in(text) == []
    assert "config-mistake" in said_of[0] and "[secret removed]" in said_of[0]
    for path in files_below(neat.home, neat.root / ".neat"):
        if path.parent != rules:
            assert found_in(path.read_bytes()) == [], path
