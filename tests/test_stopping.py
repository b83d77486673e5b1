"""A run that a rule ends: by whose leave, which process, with which signals, and over the deaths of the daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from neatd.actions.ending import SIGNALS, send
from neatd.errors import NeatError
from neatd.models import Event, ProcessFact
from neatd.pipeline import asking, stopping
from neatd.pipeline.facts import set_run
from neatd.read.process import is_alive
from neatd.read.processfacts import identity
from neatd.store import projects, requests
from tests.conftest import Neat, until
from tests.fixtures import WAIT, Start
from tests.test_predicting import Life, life, put_rule

Trainer = subprocess.Popen[str]
RULE = """
rule: nan
metrics: [loss]
when: {condition: non_finite}
severity: critical
then: [event, stop]
"""
# Says which signals it got; INT and TERM do not end it.
DEAF = """
import signal, time
for one in ("INT", "TERM"):
    signal.signal(getattr(signal, f"SIG{one}"), lambda number, frame, one=one: print(one, flush=True))
print("ready", flush=True)
while True:
    time.sleep(0.05)
"""


def fact(pid: int) -> ProcessFact:
    """As the daemon knows a process."""
    return ProcessFact.model_validate({"pid": pid, "started": psutil.Process(pid).create_time(), **identity(pid)})


def train(neat: Neat, *losses: float | None, first: int = 1, at: float | None = None, run: str = "runs/a") -> None:
    """Write lines, None for NaN; `at` is the time they tell."""
    time_s = time.time() if at is None else at
    for step, loss in enumerate(losses, first):
        value = "NaN" if loss is None else loss
        neat.metrics(run, f'{{"step": {step}, "time": {time_s}, "loss": {value}}}')


def lives_as(one: Life, process: ProcessFact, name: str = "runs/a") -> None:
    """The run is trained by this process."""
    live = next(live for _, live in one.scene.live_runs() if live.run.name == name)
    set_run(one.scene, live, process=process, status="running")


def allow(neat: Neat) -> None:
    assert neat.ask("neat", "allow", "stop")[0] == 0


def break_down(neat: Neat, one: Life, process: ProcessFact) -> Event:
    """A run of this process gets a NaN; its event, after the daemon did what it asks for."""
    train(neat, 1.0, 1.0)
    one.turns(2)
    lives_as(one, process)
    train(neat, None, first=3)
    one.turns(3)
    (event,) = one.told("nan")
    return event


def ready(neat: Neat, start: Start, code: str = WAIT) -> Trainer:
    """The rule, the user's leave, and a program to be ended."""
    put_rule(neat, "nan", RULE)
    allow(neat)
    return start(code)


@contextmanager
def broken_down(neat: Neat, start: Start, code: str = WAIT, **settings: float) -> Iterator[tuple[Life, Trainer]]:
    """A run of such a program, which has got its NaN."""
    process = ready(neat, start, code)
    with life(neat, **settings) as one:
        break_down(neat, one, fact(process.pid))
        yield one, process


def later(one: Life, seconds: float) -> None:
    """So much later."""
    moment = one.scene.today() + timedelta(seconds=seconds)
    one.scene.today = lambda: moment
    one.turns(2)


def said(one: Life) -> str:
    """What became of the stop."""
    return str(one.told("nan")[0].details.get("stop"))


def heard(process: Trainer) -> str:
    """The next signal that a deaf process tells of."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_nothing_is_ended_without_the_users_leave(neat: Neat, start: Start) -> None:
    """The run goes on, and the event says what to type; a rule in the repository gives no leave."""
    put_rule(neat, "nan", RULE)
    process = start(WAIT)
    with life(neat) as one:
        break_down(neat, one, fact(process.pid))
        assert "`neat allow stop`" in said(one) and requests.pending(one.scene.records) == []
        assert process.poll() is None


def test_an_interrupt_comes_first_and_may_be_enough(neat: Neat, start: Start) -> None:
    """A trainer that ends at it is sent nothing more, and the event says how it ended."""
    with broken_down(neat, start) as (one, process):
        assert process.wait(60) == -signal.SIGINT
        one.turns(2)
        assert said(one) == "ended by INT"
        assert requests.pending(one.scene.records) == []


def test_int_term_and_kill_follow_each_other(neat: Neat, start: Start) -> None:
    """Each when its time has come and not before, also by another life of the daemon, and none is sent twice."""
    with broken_down(neat, start, DEAF) as (one, process):
        assert heard(process) == "INT"
        later(one, 20)
        now = one.scene.today()
    with life(neat) as one:  # the one before was killed here
        one.scene.today = lambda: now
        one.turns(2)
        later(one, 11)
        assert heard(process) == "TERM"
        (request,) = requests.pending_of(one.scene.records, stopping.KIND)
        assert [name for name, _ in request.result["sent"]] == ["INT", "TERM"]
        assert process.poll() is None
        later(one, 30)
        assert process.wait(60) == -signal.SIGKILL and heard(process) == ""
        one.turns(2)
        assert said(one) == "ended by KILL"


def test_the_time_between_is_the_users(neat: Neat, start: Start) -> None:
    """stop_term_s of settings.yaml."""
    with broken_down(neat, start, DEAF, stop_term_s=1000.0, stop_kill_s=2000.0) as (one, _):
        later(one, 900)
        (request,) = requests.pending_of(one.scene.records, stopping.KIND)
        assert [name for name, _ in request.result["sent"]] == ["INT"]


@pytest.mark.parametrize("other", [{"started": 5.0, "start_ticks": None}, {"start_ticks": 5}])
def test_a_process_that_got_the_number_since_is_left_alone(neat: Neat, start: Start, other: dict[str, object]) -> None:
    """By its start in seconds, or in ticks where these are known."""
    if identity(os.getpid()) == {}:
        other = {"started": 5.0}
    process = ready(neat, start)
    gone = fact(process.pid).model_copy(update=other)
    with life(neat) as one:
        break_down(neat, one, gone)
        assert said(one).startswith("it had ended")
    for name in SIGNALS:
        send(gone, name, is_alive)
    send(fact(process.pid), "INT", is_alive)
    assert process.wait(60) == -signal.SIGINT  # the first signal that it got


@pytest.fixture
def foreign() -> Iterator[ProcessFact]:
    """A process of another user."""
    if os.getuid():
        yield fact(1)
        return
    process = subprocess.Popen(["sleep", "600"], user=65534)
    yield fact(process.pid)
    process.kill()
    process.wait()


def test_a_process_of_another_user_is_refused(neat: Neat, foreign: ProcessFact) -> None:
    """By root too, with a note in the event; it lives on."""
    with pytest.raises(NeatError, match="belongs to another user"):
        send(foreign, "KILL", is_alive)
    put_rule(neat, "nan", RULE)
    allow(neat)
    with life(neat) as one:
        break_down(neat, one, foreign)
        assert said(one) == f"process {foreign.pid} belongs to another user"
        assert is_alive(foreign) and requests.pending(one.scene.records) == []


def test_kill_takes_the_workers_along_but_not_another_runs_process(start: Start) -> None:
    """Data loaders end with their trainer; a trainer that was started from it is spared."""
    code = (
        "import subprocess, sys; a, b = (subprocess.Popen(['sleep', '600']) for _ in 'ab'); print('ready', flush=True);"
    )
    process = start(code + " print(a.pid, b.pid, flush=True); a.wait()")
    assert process.stdout is not None
    worker, other = (psutil.Process(int(pid)) for pid in process.stdout.readline().split())
    try:
        send(fact(process.pid), "KILL", is_alive, spared=[other.pid])
        assert process.wait(60) == -signal.SIGKILL
        until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, "the worker's end")
        assert other.is_running()
    finally:
        other.kill()


def test_a_consent_that_is_taken_back_ends_the_ending(neat: Neat, start: Start) -> None:
    """Between two signals, too."""
    with broken_down(neat, start, DEAF) as (one, process):
        assert heard(process) == "INT"
        projects.revoke(one.scene.records, neat.root, "stop")
        later(one, 100)
        assert said(one) == "not stopped: the consent was taken back"
        assert process.poll() is None and requests.pending(one.scene.records) == []


def test_a_run_that_began_anew_is_not_ended_for_its_past(neat: Neat, start: Start) -> None:
    """By its steps: the line that was wrong is of an earlier attempt, read only now."""
    process = ready(neat, start)
    with life(neat) as one:
        train(neat, 1.0, 1.0, first=1)
        one.turns(2)
        lives_as(one, fact(process.pid))
        train(neat, None, first=3)
        train(neat, 1.0, 1.0, first=1)
        one.turns(3)
        assert said(one) == "not stopped: it was restarted since"


def test_a_process_that_began_after_the_line_is_not_ended(neat: Neat, start: Start) -> None:
    """It goes on from a checkpoint before it, perhaps; a time that counts from the run's start proves nothing."""
    process = ready(neat, start)
    with life(neat) as one:
        train(neat, 1.0, None, at=time.time() - 600)
        one.turns(2)
        lives_as(one, fact(process.pid))
        one.turns(2)
        assert said(one) == f"not stopped: process {process.pid} began after it"
        train(neat, 1.0, None, at=12.5, run="runs/b")
        one.turns(2)
        lives_as(one, fact(process.pid), "runs/b")
        set_run(one.scene, one.run[1], process=None, status="finished")
        one.turns(2)
        assert process.wait(60) == -signal.SIGINT


def test_a_process_of_two_runs_is_not_ended_for_one(neat: Neat, start: Start) -> None:
    """A sweep in one process would end with it."""
    process = ready(neat, start)
    with life(neat) as one:
        train(neat, 1.0, run="runs/b")
        one.turns(2)
        lives_as(one, fact(process.pid), "runs/b")
        break_down(neat, one, fact(process.pid))
        assert said(one) == f"not stopped: process {process.pid} trains runs/b too"
        assert process.poll() is None


def test_a_notebooks_kernel_is_interrupted_and_goes_on(neat: Neat, start: Start) -> None:
    """It holds more than the run."""
    process = ready(neat, start, DEAF)
    with life(neat) as one:
        kernel = fact(process.pid).model_copy(update={"command": "python -m ipykernel_launcher -f k.json"})
        break_down(neat, one, kernel)
        assert heard(process) == "INT"
        later(one, 500)
        assert said(one) == "interrupted; its notebook's kernel goes on"
        assert process.poll() is None


def test_two_events_end_a_run_once(neat: Neat, start: Start) -> None:
    """The second one says for which it is being ended."""
    put_rule(neat, "nan", RULE + "budget: {storm_points: 0}\n")
    high = RULE.replace("rule: nan", "rule: high").replace("non_finite", "above, limit: 5")
    put_rule(
        neat, "high", high.replace("[event, stop]", "[stop, bug]")
    )  # it asks for more, so it is an event of its own
    allow(neat)
    process = start(DEAF)
    with life(neat) as one:
        first = break_down(neat, one, fact(process.pid))
        train(neat, 9.0, first=4)
        one.turns(3)
        (second,) = one.told("high")
        assert second.details["stop"] == f"it is being ended for {first.id[:9]}"
        assert len(requests.pending_of(one.scene.records, stopping.KIND)) == 1
        assert heard(process) == "INT"


def test_a_run_whose_process_is_not_known_says_so(neat: Neat) -> None:
    """After half a minute in which it is looked for."""
    put_rule(neat, "nan", RULE)
    allow(neat)
    with life(neat) as one:
        train(neat, 1.0, None)
        one.turns(3)
        assert said(one) == "asked for"
        later(one, 40)
        assert said(one) == "not stopped: no process of it is known"


def test_a_command_ends_no_run(neat: Neat, start: Start) -> None:
    """What the daemon left undone waits for the next one, and not for whoever types `neat train`."""
    process = ready(neat, start)
    with life(neat) as one:
        train(neat, 1.0, 1.0)
        one.turns(2)
        lives_as(one, fact(process.pid))
        train(neat, None, first=3)
        one.turns(1)
        one.scene.is_lasting = False
        for _ in range(3):
            for request in asking.due(one.scene):
                asking.carry_out(one.scene, request)
        assert said(one) == "asked for" and process.poll() is None
        one.scene.is_lasting = True
        one.turns(2)
        assert process.wait(60) == -signal.SIGINT


def test_a_stall_that_asks_for_the_end_is_heard_at_once(neat: Neat, start: Start) -> None:
    """Though no line tells of it."""
    put_rule(
        neat, "stalled",
        "rule: stalled\nmetrics: [loss]\nwhen: {condition: stalled, min_gap_s: 1, min_points: 2}\nthen: [stop]\n",
    )  # fmt: skip
    process = start(WAIT)
    with life(neat, stall_s=60.0) as one:
        train(neat, 1.0)
        one.turns(2)
        lives_as(one, fact(process.pid))
        one.run[1].last_line_at = datetime.now(UTC) - timedelta(minutes=5)
        one.turns(4)
        assert "`neat allow stop`" in one.told("stalled")[0].details["stop"]
