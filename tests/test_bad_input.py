"""Bad input: a clear message or an event, the daemon alive, nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from tests.conftest import Neat, bind_root_to_permissions, put_text, until
from tests.mother import Born


def line(step: int, **values: object) -> dict[str, object]:
    return {"step": step, "loss": 1 / step, **values}


def test_a_torn_last_line_is_read_once_it_is_whole(neat: Neat) -> None:
    """Half a line is no point; its second half makes it one, with the value that the whole line says."""
    neat.start()
    neat.metrics("runs/a", line(1), b'{"step": 2, "lo')
    assert neat.wait_for_points("runs/a", "loss", 1) == [(1, 1.0)]
    neat.metrics("runs/a", b'ss": 0.25}\n', line(3))
    assert neat.wait_for_points("runs/a", "loss", 3) == [(1, 1.0), (2, 0.25), (3, 1 / 3)]
    assert neat.show("runs/a")["bad_lines"] == 0


def test_a_last_line_without_newline_is_read_when_the_file_is_at_rest(neat: Neat) -> None:
    """A trainer that ends without a newline loses nothing, and a later newline doubles nothing."""
    neat.start()
    neat.metrics("runs/a", line(1), b'{"step": 2, "loss": 0.5}')
    assert neat.wait_for_points("runs/a", "loss", 2) == [(1, 1.0), (2, 0.5)]
    neat.metrics("runs/a", b"\n", line(3))
    assert [step for step, _ in neat.wait_for_points("runs/a", "loss", 3)] == [1, 2, 3]


def test_a_line_that_is_not_json_is_named_and_passed_over(neat: Neat) -> None:
    """The event names file and line; the lines around it are all there."""
    neat.start()
    neat.metrics("runs/a", line(1), "this is no JSON", "[1, 2]", b"\xff\xfe broken\n", line(2))
    assert len(neat.wait_for_points("runs/a", "loss", 2)) == 2
    event = neat.wait_for_event("unreadable-line")
    assert "runs/a/metrics.jsonl" in event["message"] and "line 2" in event["message"]
    assert neat.show("runs/a")["bad_lines"] == 3


def test_nan_and_infinities_are_kept_and_reported(neat: Neat) -> None:
    """Bare NaN and Infinity, as Python writes them, are points; the first of them is an event."""
    neat.start()
    neat.metrics(
        "runs/a", line(1), '{"step": 2, "loss": NaN}', '{"step": 3, "loss": Infinity}', '{"step": 4, "loss": -Infinity}'
    )
    assert [value for _, value in neat.wait_for_points("runs/a", "loss", 4)] == [1.0, "NaN", "Infinity", "-Infinity"]
    assert neat.wait_for_event("non-finite")["step"] == 2
    assert neat.show("runs/a")["series"]["loss"]["points"] == 4


def test_a_file_that_shrinks_is_read_again_from_its_start(neat: Neat) -> None:
    """The series is what the file says now; that it was cut is an event, and the old points stay in the store."""
    neat.start()
    neat.metrics("runs/a", *[line(step) for step in range(1, 21)])
    neat.wait_for_points("runs/a", "loss", 20)
    neat.metrics("runs/a", line(1, loss=5.0), line(2, loss=4.0), mode="w")
    until(lambda: neat.values("runs/a", "loss") == [(1, 5.0), (2, 4.0)], "the file's new content")
    assert "was replaced or cut" in neat.wait_for_event("source-replaced")["message"]
    points = sqlite3.connect(neat.home / "points.db")
    written = "SELECT count(*) FROM point p JOIN series s ON s.id = p.series_id WHERE s.source = 'metrics.jsonl'"
    assert points.execute(written).fetchone()[0] == 22
    points.close()
    assert neat.show("runs/a")["attempt"] == 2


def test_a_file_replaced_by_a_longer_one_is_read_again(neat: Neat) -> None:
    """A rename over the file is seen by its content, though it only grew."""
    neat.start()
    path = neat.metrics("runs/a", *[line(step) for step in range(1, 6)])
    neat.wait_for_points("runs/a", "loss", 5)
    other = path.with_name("other")
    other.write_text("".join(json.dumps(line(step, loss=step)) + "\n" for step in range(1, 11)))
    other.replace(path)
    until(lambda: neat.values("runs/a", "loss") == [(step, step) for step in range(1, 11)], "the new file's content")


def test_a_folder_that_vanishes_keeps_its_record(neat: Neat) -> None:
    """The run's points stay, an event says so, and a run of that name that comes again is read."""
    neat.start()
    neat.metrics("runs/a", line(1), line(2))
    neat.wait_for_points("runs/a", "loss", 2)
    shutil.rmtree(neat.root / "runs" / "a")
    assert "vanished" in neat.wait_for_event("folder-gone")["message"]
    assert neat.values("runs/a", "loss") == [(1, 1.0), (2, 0.5)]
    neat.metrics("runs/a", line(1, loss=9.0))
    until(lambda: neat.values("runs/a", "loss") == [(1, 9.0)], "the run that came again")
    assert neat.is_alive()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_folder_without_permission_is_named_and_the_rest_goes_on(neat: Neat) -> None:
    """The event names the folder and what to do; other runs are read meanwhile."""
    closed = neat.root / "closed"
    closed.mkdir()
    neat.metrics("runs/a", line(1))
    closed.chmod(0o000)
    process = subprocess.Popen(
        [sys.executable, "-m", "neatd.daemon"], env=neat.env, preexec_fn=bind_root_to_permissions
    )
    try:
        event = neat.wait_for_event("folder-unreadable")
        assert str(closed) in event["message"] and "permissions" in event["message"]
        assert neat.wait_for_points("runs/a", "loss", 1)
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(timeout=30)
        closed.chmod(0o755)


def test_a_rule_with_a_mistake_is_named_and_the_last_good_one_stays(neat: Neat) -> None:
    """The event names file, line, field and value; the rule as it last loaded still fires."""
    rule = neat.root / ".neat" / "rules" / "too-high.yaml"
    rule.parent.mkdir(parents=True)
    good = 'rule: too-high\nmetrics: ["loss"]\nwhen:\n  condition: spike\n  k: 2\n  min_points: 5\n  window: 10\n'
    rule.write_text(good)
    neat.start()
    neat.metrics("runs/a", *[line(step, loss=1 + step % 2 / 100) for step in range(1, 20)])
    neat.wait_for_points("runs/a", "loss", 19)
    put_text(rule, good.replace("k: 2", "k: six"))
    message = neat.wait_for_event("rules-mistake")["message"]
    assert f"{rule}:5" in message and "k" in message and "six" in message
    neat.metrics("runs/a", line(20, loss=50.0))
    assert neat.wait_for_event("too-high")["step"] == 20
    neat.call("neatd", "restart")
    neat.metrics("runs/b", *[line(step, loss=1 + step % 2 / 100) for step in range(1, 20)], line(20, loss=70.0))
    until(
        lambda: any(e["value"] == 70.0 and e["rule"] == "too-high" for e in neat.json("neat", "events")),
        "it after a restart",
    )


def test_a_mistake_in_neat_yaml_is_named_and_the_last_good_one_stays(neat: Neat) -> None:
    """The daemon goes on with what it had; a command says which line, field and value is wrong."""
    neat.start()
    config = neat.root / "neat.yaml"
    put_text(config, config.read_text() + "retention: {newest: many}\n")
    message = neat.wait_for_event_in_store("config-mistake")
    assert "retention.newest" in message and "many" in message
    neat.metrics("runs/a", line(1))
    failed = neat.call("neat", "runs", check=False)
    assert failed.returncode == 1 and "retention.newest" in failed.stderr and "many" in failed.stderr
    put_text(config, config.read_text().replace("newest: many", "newest: 5"))
    assert neat.wait_for_points("runs/a", "loss", 1)


def test_a_full_disk_loses_nothing(neat: Neat) -> None:
    """While the store cannot grow the daemon lives and says so; when there is room again, every line is there once."""
    neat.start()
    neat.metrics("runs/a", line(1))
    neat.wait_for_points("runs/a", "loss", 1)
    neat.call("neatd", "stop")
    lines = [line(step, **{f"m{n}": step * n for n in range(20)}) for step in range(2, 3000)]
    limit = (neat.home / "points.db").stat().st_size + 65536
    process = _daemon_with_room(neat, limit)
    try:
        neat.metrics("runs/a", *lines)
        until(lambda: neat.json("neatd", "status")["trouble"], "the daemon to say that the store cannot be written")
        assert process.poll() is None
        neat.call("neat", "runs")
    finally:
        process.terminate()
        process.wait(timeout=30)
    neat.start()
    assert [step for step, _ in neat.wait_for_points("runs/a", "loss", 2999)] == list(range(1, 3000))


def _daemon_with_room(neat: Neat, limit: int) -> subprocess.Popen[bytes]:
    """A daemon whose files cannot grow over `limit` bytes: the kernel refuses the write, as a full disk does."""
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}));"
        "from neatd.daemon import main; main()"
    )
    process = Born(
        [sys.executable, "-c", program],
        env=neat.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=neat.root,
    )
    until(neat.is_alive, "the daemon with little room")
    return process
