"""The page's process as a program meets it: there when somebody asks, gone with the daemon, and a stream that loses nothing."""

from __future__ import annotations

import json
import os
import signal
import socket
import urllib.request
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil

from neatd import control
from tests.conftest import Neat, until
from tests.page_heard import Heard, followed


def asked(url: str, path: str, **params: Any) -> Any:
    query = f"?{urlencode(params, doseq=True)}" if params else ""
    with urllib.request.urlopen(f"{url}/api/{path}{query}", timeout=30) as answer:
        return json.loads(answer.read())


def page_of(neat: Neat) -> psutil.Process | None:
    """The page's process, None while there is none."""
    daemon = psutil.Process(neat.json("neatd", "status")["pid"])
    return next((one for one in daemon.children() if "neatd.web" in " ".join(one.cmdline())), None)


def url_of(neat: Neat) -> str:
    return str(neat.json("neatd", "status")["url"])


def steps(neat: Neat, first: int, last: int) -> None:
    neat.metrics("runs/a", *({"step": step, "loss": 1 / step} for step in range(first, last + 1)))


def test_the_page_is_a_process_only_while_somebody_asks(neat: Neat) -> None:
    """None before the first caller; killed, it is started again for the next one; it ends with the daemon."""
    neat.start()
    assert page_of(neat) is None
    url = url_of(neat)
    assert asked(url, "runs") == []
    first = page_of(neat)
    assert first is not None
    first.kill()
    until(lambda: not first.is_running() or first.status() == psutil.STATUS_ZOMBIE, "the end of the page's process")
    assert asked(url, "runs") == []
    second = page_of(neat)
    assert second is not None and second.pid != first.pid
    control.stop(neat.home)
    until(lambda: not second.is_running(), "the end of the page's process with the daemon")


def test_a_stream_goes_on_after_the_daemon_was_killed(neat: Neat) -> None:
    """At the same address, from the cursor, without a gap and without a point twice."""
    steps(neat, 1, 3)
    neat.start()
    neat.wait_for_points("runs/a", "loss", 3)
    url = url_of(neat)
    run = neat.show("runs/a")["id"]
    drawn = asked(url, "series", run=run, name="loss")["runs"][run]
    has = [point[0] for point in drawn["series"]["loss"]["points"]]
    heard = Heard(url, followed(run, drawn["cursor"]))
    steps(neat, 4, 5)
    cursor = drawn["cursor"]
    while has[-1] < 5:
        said = heard.until(lambda event, _: event == "points")
        has += [point[0] for point in said["series"]["loss"]]
        cursor = said["cursor"]
    page = page_of(neat)
    os.kill(neat.json("neatd", "status")["pid"], signal.SIGKILL)
    until(lambda: page is None or not page.is_running(), "the end of the page's process after a kill")
    heard.close()
    steps(neat, 6, 7)
    neat.start()
    assert url_of(neat) == url
    neat.wait_for_points("runs/a", "loss", 7)
    again = Heard(url, followed(run, cursor))
    while has[-1] < 7:
        has += [point[0] for point in again.until(lambda event, _: event == "points")["series"]["loss"]]
    again.close()
    assert has == [1, 2, 3, 4, 5, 6, 7]


def test_a_stream_tells_runs_events_and_topics(neat: Neat) -> None:
    """A run that begins, an anomaly, and a record that was made, each once somebody follows them."""
    neat.start()
    heard = Heard(url_of(neat), "topics=runs,events,records")
    assert heard.next()[0] == "hello"
    steps(neat, 1, 40)
    neat.metrics("runs/a", '{"step": 41, "loss": NaN}')
    found = heard.until(lambda event, said: event == "runs" and any(one["name"] == "runs/a" for one in said))
    assert found[0]["status"] in ("starting", "running")
    happened = heard.until(lambda event, _: event == "happened")
    assert {one["run_name"] for one in happened} == {"runs/a"}
    neat.call("neat", "note", "seen")
    assert heard.until(lambda event, _: event == "changed") == {"topics": ["records"]}
    heard.close()


def test_a_run_that_goes_back_is_read_again(neat: Neat) -> None:
    """What a reader has is no longer the beginning of what is stored: it is told so, and not sent points."""
    steps(neat, 1, 20)
    neat.start()
    neat.wait_for_points("runs/a", "loss", 20)
    run = neat.show("runs/a")["id"]
    drawn = asked(url_of(neat), "series", run=run, name="loss")["runs"][run]
    heard = Heard(url_of(neat), followed(run, drawn["cursor"]))
    steps(neat, 11, 12)
    assert heard.until(lambda event, _: event in ("points", "rewritten")) == {"run": run}
    found = asked(url_of(neat), "series", run=run, name="loss")["runs"][run]["series"]["loss"]
    assert [point[0] for point in found["points"]] == [*range(1, 13)]
    assert [point[0] for point in found["abandoned"][0]] == [*range(11, 21)]
    heard.close()


def test_a_port_that_is_taken_is_no_end_of_the_daemon(neat: Neat) -> None:
    """It watches, its page listens elsewhere, and an event says so."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        neat.settings(page_port=taken.getsockname()[1])
        neat.start()
        assert urlsplit(url_of(neat)).port != taken.getsockname()[1]
        assert asked(url_of(neat), "runs") == []
        assert "cannot listen" in neat.wait_for_event("page")["message"]
