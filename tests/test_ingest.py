"""Lines of machines that share no disk: each id once, whatever is sent again, killed or sent twice at a time."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.files import is_ignored
from neatd.pipeline import ingesting
from neatd.pipeline.ingestbody import MOST_BYTES, MOST_LINES, Line, RefusedError, parse_body
from neatd.pipeline.ingestfile import append
from neatd.pipeline.ingesting import Taken, take
from neatd.pipeline.ingestnames import check_machine, parts_of
from neatd.pipeline.loop import Loop
from neatd.pipeline.scene import LiveRun
from neatd.place import here
from neatd.store import events
from neatd.store.window import points_of
from neatd.watch.observer import Watcher
from tests.cli_place import Cli
from tests.conftest import until
from tests.fixtures import Start
from tests.store_rows import child, output
from tests.upkeep_made import scene_of, set_up


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return set_up(Cli(tmp_path, monkeypatch, capsys))


@pytest.fixture
def token(cli: Cli) -> str:
    return cli.ok("ingest", "add", "gpu2").strip()


def ndjson(*lines: object) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def rows(first: int, last: int) -> bytes:
    return ndjson(*({"id": n, "step": n, "loss": 1 / n} for n in range(first, last + 1)))


def counts(taken: Taken) -> tuple[int, int, int, int]:
    return taken.lines, taken.new, taken.doubled, len(taken.refused)


def file_of(cli: Cli, run: str = "lm") -> Path:
    return cli.root / ".neat" / "remote" / "gpu2" / run / "metrics.jsonl"


def ids_of(path: Path) -> list[str]:
    return [json.loads(line)["id"][0] for line in path.read_text().splitlines()]


def refused(cli: Cli, token: str, run: str = "lm", body: bytes = rows(1, 1)) -> RefusedError:
    with pytest.raises(RefusedError) as raised:
        take(cli.home, token, run, body)
    assert raised.value.message and raised.value.hint
    return raised.value


# ---- tokens ----


def test_a_token_is_shown_once_and_only_its_hash_is_kept(cli: Cli, token: str) -> None:
    """Nothing in NEAT_HOME holds the token."""
    assert len(token) > 40 and "\n" not in token
    held = b"".join(path.read_bytes() for path in cli.home.rglob("*") if path.is_file())
    assert token.encode() not in held
    (one,) = cli.json("ingest", "list")
    assert one["machine"] == "gpu2" and one["seen_at"] is None and "hash" not in one
    assert "has a token already" in cli.refused("ingest", "add", "gpu2")
    take(cli.home, token, "lm", rows(1, 1))
    assert cli.json("ingest", "list")[0]["seen_at"]


def test_a_token_that_was_taken_back_no_longer_holds_and_what_came_stays(cli: Cli, token: str) -> None:
    """The machine may be added again, and goes on in the same runs."""
    take(cli.home, token, "lm", rows(1, 3))
    cli.ok("ingest", "remove", "gpu2")
    assert refused(cli, token).status == 403 and cli.json("ingest", "list") == []
    assert "no token for" in cli.refused("ingest", "remove", "gpu2")
    again = cli.ok("ingest", "add", "gpu2").strip()
    assert counts(take(cli.home, again, "lm", rows(2, 4))) == (3, 1, 2, 0)
    assert ids_of(file_of(cli)) == ["1", "2", "3", "4"]


def test_what_is_no_token_is_told_so(cli: Cli, token: str) -> None:
    """401, also for one that cannot be hashed as text."""
    for wrong in ("", "neat_", "x" * 9000, "\ud800"):
        assert refused(cli, wrong).status == 401


def test_a_project_whose_folder_is_gone_gets_a_clear_error(cli: Cli, token: str) -> None:
    """Also one whose folder is another project's by now; no folder is made again."""
    config = cli.root / "neat.yaml"
    text = config.read_text()
    config.write_text("id: 11111111-9a1e-4a3c-8a57-3f6c2d0e9b11\n")
    assert refused(cli, token).status == 409
    config.unlink()
    assert "no longer stands in" in refused(cli, token).message
    config.write_text(text)
    assert take(cli.home, token, "lm", rows(1, 1)).new == 1


# ---- names ----

BAD_NAMES = [
    "", ".", "..", "../x", "a/../b", "/etc", "a//b", "a/", ".hidden", "a/.git", "a\\b", "a\0b", "a\nb", "a\x9fb", "C:x", "a.",
    " a", "a/b/c/d", "x" * 101, "ü" * 51, "u\u0308", "\u202ea", "\ud800", "data", "a/venv", "checkpoint-5", "a/logs", "wandb",
    "runs/Jan01_12-00-00_host", "vis_data",
]  # fmt: skip


def test_a_run_cannot_be_called_so(cli: Cli, token: str) -> None:
    """Nothing is made on the disk, and the reason can be printed."""
    for name in BAD_NAMES:
        error = refused(cli, token, name)
        assert error.status == 400 and error.message.isprintable() and error.message.isascii()
    assert not (cli.root / ".neat" / "remote").exists()


def test_a_machine_cannot_be_called_so(cli: Cli) -> None:
    """`neat ingest add` refuses it as any mistake."""
    for name in ("..", "a/b", ".x", "", "a\x1b[31m", "data"):
        assert "cannot be called" in cli.refused("ingest", "add", "--", name)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=3).map("/".join))
@settings(max_examples=60, deadline=None)
def test_a_name_that_is_taken_is_a_folder_in_the_machines_own(name: str) -> None:
    """No name leads out of it, is changed, or lies where the walk does not look."""
    check_machine("gpu2")
    try:
        parts = parts_of("gpu2", name)
    except RefusedError:
        return
    assert "/".join(parts[3:]) == name and not is_ignored(parts)
    assert os.path.normpath(Path(*parts)) == str(Path(*parts))


@pytest.mark.parametrize("link", [".neat", ".neat/remote", ".neat/remote/gpu2", ".neat/remote/gpu2/lm"])
def test_no_link_is_followed_out_of_the_project(cli: Cli, token: str, tmp_path: Path, link: str) -> None:
    """Not by one folder of those that lead to the run."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (cli.root / ".neat").rmdir()
    (cli.root / link).parent.mkdir(parents=True, exist_ok=True)
    (cli.root / link).symlink_to(outside)
    error = refused(cli, token)
    assert error.status == 409 and "is a link" in error.message and list(outside.iterdir()) == []


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_regular_file_is_not_written_to(cli: Cli, token: str, tmp_path: Path, kind: str) -> None:
    """A link leads elsewhere, a pipe would wait for ever."""
    path = file_of(cli)
    path.parent.mkdir(parents=True)
    (tmp_path / "other").write_text("mine")
    {"link": lambda: path.symlink_to(tmp_path / "other"), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}[kind]()
    assert refused(cli, token).status in (409, 507)
    assert (tmp_path / "other").read_text() == "mine"


# ---- bodies ----


def test_bad_lines_are_refused_one_by_one_and_the_good_ones_taken(cli: Cli, token: str) -> None:
    """Each with its number in the body and the reason."""
    good = [b'{"id": "a", "step": 1, "val": {"loss": 0.5}, "note": "x"}', b'{"id": "b", "step": 2, "loss": NaN}']
    bad = [
        b"\xff\xfe", b"{", b"[1]", b"7", b'{"step": 1, "loss": 1}', b'{"id": true, "step": 1, "loss": 1}',
        b'{"id": "", "step": 1, "loss": 1}', b'{"id": "%s", "step": 1, "loss": 1}' % (b"x" * 201),
        b'{"id": 5, "loss": 1}', b'{"id": 5, "step": 1.5, "loss": 1}', b'{"id": 5, "step": 1}',
        b'{"id": 5, "step": 1, "loss": 1, "time": "now"}', b'{"id": 5, "step": 1, "a\\u001b": 1}', b'{"config": {}}',
        b'{"id": 5, "step": 1, "%s": 1}' % (b"n" * 201), b'{"id": 5, "step": %d, "loss": 1}' % 2**70,
        b'{"id": 5, "step": 1, "loss": ' + b"[" * 99_999,
    ]  # fmt: skip
    taken = take(
        cli.home, token, "lm", b"\r\n".join([good[0], b"", *bad, good[1], b'{"id": "c", "step": 3, "l": "inf"}'])
    )
    assert counts(taken) == (len(bad) + 3, 3, 0, len(bad))
    assert [one.line for one in taken.refused] == list(range(3, 3 + len(bad)))
    assert [one.reason for one in taken.refused[:3]] == ["not UTF-8", "not JSON", "not a JSON object"]
    assert taken.refused[bad.index(b'{"config": {}}')].reason == "config is told by the first line of a request alone"
    lines = [json.loads(line) for line in file_of(cli).read_text().splitlines()]
    assert lines[0] == {"step": 1, "val/loss": 0.5, "id": ["a"]} and [one["id"] for one in lines] == [
        ["a"],
        ["b"],
        ["c"],
    ]


def test_an_array_is_as_good_as_lines(cli: Cli, token: str) -> None:
    """The first element may tell the parameters; its ids are those of lines."""
    body = json.dumps([{"config": {"lr": 0.1}}, {"id": 1, "step": 1, "loss": 2.0, "time": 1.7e9}, 3]).encode()
    taken = take(cli.home, token, "lm", b" \n" + body)
    assert counts(taken) == (3, 1, 0, 1) and taken.has_config and taken.refused[0].line == 3
    assert take(cli.home, token, "lm", ndjson({"id": "1", "step": 1, "loss": 2.0})).doubled == 1


BAD_BODIES = [
    (b"", 400), (b" \n\n", 400), (b"[1, 2", 400), (b"[" * 100_000, 400), (b"[\xff]", 400), (b"[]", 400),
    (b"x" * (MOST_BYTES + 1), 413), (b"1\n" * (MOST_LINES + 1), 413), (b"[%s1]" % (b"1," * MOST_LINES), 413),
]  # fmt: skip


def test_a_body_that_is_none_is_refused_as_a_whole(cli: Cli, token: str) -> None:
    """Empty, no JSON, not UTF-8, too large: before anything is written."""
    for body, status in BAD_BODIES:
        assert refused(cli, token, body=body).status == status
    assert not (cli.root / ".neat" / "remote").exists()


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_lines_or_refused(body: bytes) -> None:
    """Nothing but a refusal comes of what a stranger sends."""
    try:
        found = parse_body(body)
    except RefusedError:
        return
    assert found.sent == len(found.lines) + len(found.refused) + (found.config is not None)


def test_a_machine_has_so_many_runs_and_a_disk_keeps_room(
    cli: Cli, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs that are there go on."""
    monkeypatch.setattr(ingesting, "MOST_RUNS", 2)
    for run in ("a", "b/c", "a"):
        take(cli.home, token, run, rows(1, 1))
    assert refused(cli, token, "d").status == 403
    monkeypatch.setattr(ingesting, "LEAST_FREE", 1 << 60)
    assert refused(cli, token, "a").status == 507


# ---- each id once ----


class File:
    """A run's file with its index, and what should be in it."""

    def __init__(self, base: Path) -> None:
        self.path, self.index = base / "metrics.jsonl", base / "some.ids"

    def send(self, numbers: list[int]) -> int:
        body = ndjson(*({"id": n, "step": n, "loss": 0.5} for n in numbers)) or b"\n"
        return append(self.path, self.index, parse_body(body).lines if numbers else (), wait_s=0.0)


MISHAPS = ["torn", "no newline", "index gone", "index damaged", "index behind", "nothing"]


@given(st.lists(st.tuples(st.lists(st.integers(0, 12), max_size=6), st.sampled_from(MISHAPS)), max_size=5), st.data())
@settings(max_examples=25, deadline=None)
def test_each_id_is_in_the_file_once_whatever_is_sent_again_or_torn(
    sent: list[tuple[list[int], str]], data: st.DataObject
) -> None:
    """A crash leaves a torn line, a line without its newline, or an index that knows less: a resend makes it good."""
    with tempfile.TemporaryDirectory() as base:
        file, ever = File(Path(base)), list[int]()
        for numbers, mishap in sent:
            old = file.index.read_bytes() if file.index.exists() else b""
            there = whole_ids(file.path)
            assert file.send(numbers) == len({*map(str, numbers)} - {*there})
            assert whole_ids(file.path)[: len(there)] == there
            ever += numbers
            hurt(file, mishap, old, data)
        file.send(ever)
        assert sorted(ids_of(file.path)) == sorted({*map(str, ever)})


def whole_ids(path: Path) -> list[str]:
    """The ids of the lines that are whole, the last one also without its newline."""
    lines = path.read_text().split("\n") if path.exists() else []
    return [json.loads(line)["id"][0] for line in lines if line.endswith("]}")]


def hurt(file: File, mishap: str, old: bytes, data: st.DataObject) -> None:
    """What a crash, or a person, may leave."""
    content = file.path.read_bytes()
    if mishap == "torn" and content:
        file.path.write_bytes(content[: len(content) - data.draw(st.integers(1, 40))])
    elif mishap == "no newline":
        file.path.write_bytes(content.removesuffix(b"\n"))
    elif mishap == "index gone":
        file.index.unlink()
    elif mishap == "index damaged":
        file.index.write_bytes(b"SQLite format 3\0" + b"\1" * 5000)
    elif mishap == "index behind" and old:
        file.index.write_bytes(old)


KILLED = """
import os, sys
from pathlib import Path
from neatd.pipeline import ingestfile
from neatd.pipeline.ingesting import take
what, home, token = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
whole = ingestfile.write
def torn(file, data):
    if data:
        whole(file, data[: len(data) * 2 // 3] if what == "half" else data)
        os.kill(os.getpid(), 9)
ingestfile.write = torn
take(home, token, "lm", sys.stdin.buffer.read())
"""


@pytest.mark.parametrize(("what", "is_torn"), [("half", True), ("whole", False)])
def test_killed_between_the_lines_and_the_answer_a_resend_doubles_nothing(
    cli: Cli, token: str, what: str, is_torn: bool
) -> None:
    """SIGKILL in the middle of the writing, and behind it."""
    take(cli.home, token, "lm", rows(1, 5))
    body = rows(4, 60)
    started = child(KILLED, what, cli.home, token)
    started.communicate(body.decode())
    assert started.returncode == -signal.SIGKILL
    assert (not file_of(cli).read_bytes().endswith(b"\n")) == is_torn
    taken = take(cli.home, token, "lm", body)
    assert taken.new > 0 if is_torn else taken.new == 0
    assert ids_of(file_of(cli)) == [str(n) for n in range(1, 61)]


SENDS = """
import sys
from pathlib import Path
from neatd.pipeline.ingesting import take
home, token, new = Path(sys.argv[1]), sys.argv[2], 0
print("ready", flush=True)
sys.stdin.readline()
for at in range(0, 200, 10):
    body = "".join('{"id": %d, "step": %d, "loss": 0.5}\\n' % (n, n) for n in range(at, at + 20)).encode()
    new += take(home, token, "lm", body).new
print(new)
"""


def test_two_processes_that_send_the_same_lines_at_once_double_none(cli: Cli, token: str, start: Start) -> None:
    """What the one takes is doubled for the other."""
    two = [start(SENDS, cli.home, token) for _ in range(2)]
    for one in two:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    assert sum(int(output(one)) for one in two) == 210
    assert sorted(map(int, ids_of(file_of(cli)))) == list(range(210))


def test_who_meets_another_request_of_the_run_tries_again(tmp_path: Path) -> None:
    """429 after a while, and nothing is written."""
    from neatd.locks import FileLock

    file = File(tmp_path)
    with FileLock(tmp_path / "some.lock"), pytest.raises(RefusedError) as raised:
        file.send([1])
    assert raised.value.status == 429 and not file.path.exists()


def test_a_file_of_thousands_of_ids_is_not_read_again_for_each_request(tmp_path: Path) -> None:
    """A later request reads what was written since, and the index answers for the rest."""
    file = File(tmp_path)
    line = Line("x", b'{"step": 1, "loss": 1, "id": ["x"]}\n')
    file.path.write_bytes(b"".join(b'{"step": %d, "id": ["%d"]}\n' % (n, n) for n in range(20_000)))
    assert append(file.path, file.index, [line]) == 1
    before = file.path.stat().st_size
    content = file.path.read_bytes().replace(b'["9000"]', b'["seen"]')
    file.path.write_bytes(content)  # where neither the head nor the end of the file tells of it
    assert append(file.path, file.index, [line, Line("9000", b"!"), Line("seen", b"{}\n")]) == 1
    assert file.path.stat().st_size == before + 3


# ---- as a run ----


@pytest.fixture
def loop(cli: Cli) -> Iterator[Loop]:
    with scene_of(cli) as scene:
        made = Loop(scene, Watcher())
        made.prepare()
        yield made


def turned(loop: Loop) -> dict[str, LiveRun]:
    """The runs by name after a few turns."""
    for _ in range(4):
        for project in loop.scene.projects.values():
            project.next_survey = 0
        loop.next_sweep = 0
        loop.step([])
    return {live.run.name: live for _, live in loop.scene.live_runs()}


def test_what_was_sent_is_a_run_of_the_project_and_judged(cli: Cli, token: str, loop: Loop) -> None:
    """Its points are there once, rules look at them, its parameters are known without their secrets."""
    secret = "sk-" + "ab12CD34ef56GH78" * 3
    config = {"config": {"lr": 0.1, "max_steps": 90, "api_key": secret}}
    take(cli.home, token, "sweep/lm", ndjson(config) + rows(1, 40))
    take(cli.home, token, "sweep/lm", rows(30, 60) + b'{"id": "last", "step": 61, "loss": NaN}\n')
    live = turned(loop)["remote/gpu2/sweep/lm"]
    run = live.run
    found = points_of(loop.scene.points, run.id, "loss")
    assert [step for step, _, _ in found] == list(range(1, 62))
    assert run.config["lr"] == 0.1 and run.planned_steps == 90 and run.config["api_key"] != secret
    assert secret not in (live.folder / "config.json").read_text()
    assert [
        one.rule for one in events.events(loop.scene.records) if one.run_id == run.id and one.severity == "critical"
    ]
    assert run.process is None and not run.git.is_repo


def test_git_never_sees_what_was_sent(cli: Cli, token: str) -> None:
    """Neither with neat's own .gitignore nor without one."""
    subprocess.run(["git", "init", "-q"], cwd=cli.root, check=True)
    take(cli.home, token, "lm", rows(1, 2))
    said = subprocess.run(["git", "status", "--porcelain", "-uall"], cwd=cli.root, check=True, capture_output=True)
    assert said.stdout == b"?? neat.yaml\n"


def test_a_hint_of_the_first_lines_makes_the_walk_due(cli: Cli, token: str, loop: Loop) -> None:
    """And each later one has the file read: nobody waits for a sweep."""
    (project,) = loop.scene.projects.values()
    take(cli.home, token, "lm", rows(1, 2))
    project.next_survey = 1e18
    loop._follow_hints([cli.root / ".neat" / "remote"])
    assert project.next_survey == 0.0
    live = turned(loop)["remote/gpu2/lm"]
    assert live.folder in loop.scene.projects[str(here(cli.root).root)].folders
    take(cli.home, token, "lm", rows(3, 3))
    loop._follow_hints([file_of(cli)])
    assert live.is_unread
    until(lambda: loop.step([]) >= 0 and not live.is_unread, "the line to be read")
    assert points_of(loop.scene.points, live.run.id, "loss")[-1][0] == 3


def test_what_is_made_is_the_users_as_any_file(cli: Cli, token: str) -> None:
    """By the umask; the index of ids is in NEAT_HOME, which is the user's alone."""
    take(cli.home, token, "lm", rows(1, 1))
    assert stat.S_IMODE(file_of(cli).stat().st_mode) & 0o111 == 0
    assert stat.S_IMODE((cli.home / "ingest").stat().st_mode) == 0o700
