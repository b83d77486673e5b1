"""Which queued jobs begin, and why the others wait: the order, the slots, the devices, what a pause and a failure do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from neatd.rules.admission import ANY, EVERY, Decision, Rule, Running, Waiting, World, admit
from neatd.rules.leases import Device, Need, Share, candidates, fit
from tests.cost import at_most

GB = 1_000_000_000
HOST = Device("cpu", "cpu", 0, 64 * GB, 60 * GB)
A, B, C, D = (Device(f"GPU-{name}", "cuda", number, 80 * GB, 80 * GB) for number, name in enumerate("abcd"))
CPU_ONLY = World(cpu_slots=2, devices=(HOST,))
FOUR = World(cpu_slots=2, devices=(A, B, C, D, HOST))


def job(name: str, **fields: object) -> Waiting:
    return Waiting(f"j-{name}")._replace(**fields)  # type: ignore[arg-type]


def decided(world: World, *waiting: Waiting) -> dict[str, Decision]:
    return {one.id.removeprefix("j-"): one for one in admit(waiting, world)}


def begun(world: World, *waiting: Waiting) -> str:
    """The names of those that begin, in order."""
    return " ".join(name for name, one in decided(world, *waiting).items() if one.lease is not None)


def held(name: str, *shares: Share, group: str = "default") -> Running:
    return Running(f"j-{name}", group, shares)


# ---- slots and groups ----


def test_jobs_begin_in_their_order_as_far_as_there_are_slots() -> None:
    """Two slots, one of them taken."""
    assert begun(CPU_ONLY, job("a"), job("b"), job("c")) == "a b"
    one = CPU_ONLY._replace(running=(held("x"),))
    assert begun(one, job("a"), job("b")) == "a"
    assert decided(one, job("a"), job("b"))["b"].reason == "all 2 CPU slots are taken"


def test_a_group_with_a_parallelism_of_its_own_takes_no_slots() -> None:
    """And those of the others share theirs."""
    world = CPU_ONLY._replace(groups={"g": Rule(3)}, running=(held("x", group="g"),))
    jobs = [job(name, group="g") for name in "abc"] + [job("d"), job("e", group="h"), job("f")]
    assert begun(world, *jobs) == "a b d e"
    assert decided(world, *jobs)["c"].reason == "group g runs 3 of 3"


def test_a_paused_group_waits_and_says_what_lets_it_go_on() -> None:
    """With the reason that somebody gave; a pause of the whole queue too."""
    world = CPU_ONLY._replace(groups={"g": Rule(None, True, "a demo")})
    found = decided(world, job("a", group="g"), job("b"))
    assert (found["a"].reason, found["a"].until) == ("group g is paused: a demo", "`neat queue go-on g`")
    assert found["b"].lease == ()
    found = decided(CPU_ONLY._replace(groups={EVERY: Rule(None, True)}), job("a"))
    assert (found["a"].reason, found["a"].until) == ("the queue is paused", "`neat queue go-on`")


def test_memory_and_a_rules_pause_hold_up_what_they_are_of() -> None:
    """The first all jobs, the second those of its project."""
    paused = CPU_ONLY._replace(pauses={"p": "loss NaN"})
    found = decided(paused, job("a", project_id="p"), job("b", project_id="q"))
    assert found["a"].reason == "paused by a rule: loss NaN" and "neat rules go-on" in found["a"].until
    assert found["b"].lease == ()
    assert decided(CPU_ONLY._replace(risk="the risk is HIGH"), job("a"))["a"].reason == "the risk is HIGH"


# ---- what comes after what ----


def test_a_job_waits_for_those_it_comes_after() -> None:
    """Until all have ended well; what waits takes nobody's slot."""
    after = job("a", after=("j-x", "j-y"))
    world = CPU_ONLY._replace(ended={"j-x": "finished", "j-y": "running"})
    found = decided(world, after, job("b"), job("c"))
    assert found["a"].reason == "after j-y, which is running" and (found["b"].lease, found["c"].lease) == ((), ())
    assert begun(world._replace(ended={"j-x": "finished", "j-y": "finished"}), after) == "a"


def test_a_job_after_one_that_ended_badly_is_lost_unless_any_end_will_do() -> None:
    """Its decision names the one."""
    for status in ("failed", "killed", "interrupted", "lost", "cancelled"):
        world = CPU_ONLY._replace(ended={"j-x": status})
        found = decided(world, job("a", after=("j-x",)), job("b", after=(f"{ANY}j-x",)))
        assert found["a"].is_lost and found["a"].reason == f"j-x, which it comes after, ended {status}"
        assert found["b"].lease == ()
    assert decided(CPU_ONLY, job("a", after=("j-gone",)))["a"].is_lost


def test_a_job_after_a_study_waits_for_its_end() -> None:
    """However that ends, but for a failure."""
    for status, begins in (("running", ""), ("paused", ""), ("finished", "a"), ("failed", "")):
        assert begun(CPU_ONLY._replace(ended={"y-s": status}), job("a", after=("y-s",))) == begins


# ---- devices ----


def test_whole_devices_are_given_in_their_order_and_need_no_slot() -> None:
    """One that runs on a GPU leaves the CPU slots to others."""
    found = decided(FOUR, job("a", gpus=1), job("b", gpus=2), job("c"), job("d"))
    assert found["a"].lease == ((A.key, None),) and found["b"].lease == ((B.key, None), (C.key, None))
    assert (found["c"].lease, found["d"].lease) == ((), ())


def test_parts_share_a_device_up_to_what_it_has() -> None:
    """The one that is filled most, so that others stay whole."""
    found = decided(FOUR, *(job(name, memory_bytes=30 * GB) for name in "abc"), job("d", gpus=3))
    assert [found[name].lease for name in "abc"] == [
        ((A.key, 30 * GB),), ((A.key, 30 * GB),), ((B.key, 30 * GB),)
    ]  # fmt: skip
    assert found["d"].reason == "needs 3 GPUs: 2 of 4 free"


def test_a_large_job_keeps_what_it_could_use_from_those_behind_it() -> None:
    """They wait though a device is free for them; what it could not use is theirs."""
    world = FOUR._replace(running=(held("x", (A.key, None)),))
    found = decided(world, job("big", gpus=4), job("small", gpus=1), job("cpu"))
    assert found["big"].reason == "needs 4 GPUs: 3 of 4 free"
    assert found["small"].reason == "behind j-big, which waits for room" and found["cpu"].lease == ()
    small = Device("GPU-s", "cuda", 4, 20 * GB, 20 * GB)
    world = World(2, (held("x", (A.key, 60 * GB)),), devices=(A, small, HOST))
    found = decided(world, job("big", memory_bytes=40 * GB), job("b", memory_bytes=10 * GB))
    assert found["big"].lease is None and found["b"].lease == (("GPU-s", 10 * GB),)


def test_what_could_never_begin_holds_up_nobody() -> None:
    """Too many GPUs, too much memory, or other programs on the devices."""
    found = decided(FOUR, job("a", gpus=5), job("b", memory_bytes=90 * GB), job("c", gpus=4))
    assert found["a"].reason == "needs 5 GPUs: this machine has 4"
    assert found["b"].reason == "needs 90.0 GB: no GPU here has so much memory" and found["c"].lease is not None
    busy = FOUR._replace(devices=(A._replace(foreign_bytes=GB), B, C, D, HOST))
    found = decided(busy, job("a", gpus=4), job("b", gpus=1))
    assert found["a"].reason == "needs 4 GPUs: 3 of 4 free, other programs hold 1"
    assert found["b"].lease == ((B.key, None),)
    assert decided(CPU_ONLY, job("a", gpus=1))["a"].reason == "needs a GPU: this machine has none that neat sees"


def test_without_a_gpu_a_part_is_of_the_machines_memory() -> None:
    """And takes a slot."""
    found = decided(CPU_ONLY, job("a", memory_bytes=40 * GB), job("b", memory_bytes=40 * GB), job("c"))
    assert found["a"].lease == (("cpu", 40 * GB),)
    assert found["b"].reason == "needs 40.0 GB of a device: 24.0 GB free"
    assert found["c"].reason == "all 2 CPU slots are taken"  # the second is kept for b


def test_a_group_that_is_full_keeps_no_device_idle() -> None:
    """Its jobs wait, and the GPUs go to those behind them."""
    world = FOUR._replace(groups={"g": Rule(1)}, running=(held("x", (A.key, None), group="g"),))
    found = decided(world, job("a", group="g", gpus=3), job("b", gpus=3))
    assert found["a"].reason == "group g runs 1 of 1" and found["b"].lease is not None


# ---- any queue ----

NAMES = ("GPU-a", "GPU-b", "GPU-c")
machines = st.lists(st.tuples(st.integers(1, 8), st.sampled_from([0, 0, 0, 2])), max_size=3)
groups = st.fixed_dictionaries({"g": st.builds(Rule, st.integers(1, 2), st.booleans()), "h": st.just(Rule())})
needs = st.one_of(
    st.tuples(st.just(0), st.none()), st.tuples(st.integers(1, 3), st.none()),
    st.tuples(st.just(0), st.integers(1, 9)),
)  # fmt: skip
queues = st.lists(st.tuples(needs, st.sampled_from(["default", "g", "h"])), max_size=9)


def machine(sizes: Sequence[tuple[int, int]]) -> tuple[Device, ...]:
    found = [Device(key, "cuda", n, size, size, min(size, other))
             for n, (key, (size, other)) in enumerate(zip(NAMES, sizes, strict=False))]  # fmt: skip
    return (*found, Device("cpu", "cpu", 0, 8, 8))


def queue(made: Sequence[tuple[tuple[int, int | None], str]]) -> list[Waiting]:
    return [Waiting(f"j-{n}", "p", group, gpus, size) for n, ((gpus, size), group) in enumerate(made)]


def run(world: World, waiting: Sequence[Waiting]) -> tuple[World, list[Decision]]:
    """The world once those that may have begun."""
    found = list(admit(waiting, world))
    by_id = {one.id: one for one in waiting}
    more = tuple(Running(one.id, by_id[one.id].group, one.lease) for one in found if one.lease is not None)
    return world._replace(running=(*world.running, *more)), found


def check_capacity(world: World) -> None:
    """No device, slot or group holds more than it has."""
    for device in world.devices:
        shares = [size for one in world.running for key, size in one.shares if key == device.key]
        if None in shares:
            assert len(shares) == 1 and not device.foreign_bytes
        assert sum(size or 0 for size in shares) + device.foreign_bytes <= (device.total_bytes or 0) or not shares
    for name, rule in world.groups.items():
        assert rule.parallel is None or sum(one.group == name for one in world.running) <= rule.parallel
    open_groups = [one for one in world.running if world.groups.get(one.group, Rule()).parallel is None]
    assert sum(not one.is_of_gpu for one in open_groups) <= world.cpu_slots


@settings(max_examples=80, deadline=None)
@given(sizes=machines, made=queues, rules=groups, slots=st.integers(1, 3), ends=st.randoms(use_true_random=False))
def test_any_queue_is_run_within_the_machine_in_order_and_to_its_end(
    sizes: list[tuple[int, int]], made: list[tuple[tuple[int, int | None], str]], rules: dict[str, Rule], slots: int,
    ends: object,
) -> None:  # fmt: skip
    """Jobs end one by one in any order. Never more than there is; the same decisions for the same queue; of those that need
    the same in the same group none passes another; in the end only those are left that could never begin."""
    world = World(slots, groups=rules, devices=machine(sizes))
    waiting, order = queue(made), []
    for _ in range(2 * len(waiting) + 2):
        assert list(admit(waiting, world)) == list(admit(waiting, world))
        brief = [one for one in admit(waiting, world, is_brief=True) if one.lease is not None]
        world, found = run(world, waiting)
        assert brief == [one for one in found if one.lease is not None]
        check_capacity(world)
        begins = {one.id for one in found if one.lease is not None}
        order += [one for one in waiting if one.id in begins]
        waiting = [one for one in waiting if one.id not in begins]
        if world.running:
            gone = ends.choice(world.running)  # type: ignore[attr-defined]
            world = world._replace(running=tuple(one for one in world.running if one != gone))
    for first, later in pairwise(order):
        same = (first.gpus, first.memory_bytes, first.group) == (later.gpus, later.memory_bytes, later.group)
        assert not same or int(first.id[2:]) < int(later.id[2:])
    for one in waiting:
        could = isinstance(fit(one.gpus, one.memory_bytes, world.devices, ()), tuple)
        assert not could or world.groups.get(one.group, Rule()).is_paused, one


@settings(max_examples=80, deadline=None)
@given(sizes=machines, need=needs, small=needs, ends=st.randoms(use_true_random=False))
def test_a_stream_of_other_jobs_never_starves_one(
    sizes: list[tuple[int, int]], need: tuple[int, int | None], small: tuple[int, int | None], ends: object
) -> None:
    """Others come behind it without end: it begins at the latest when all have ended that ran when it came."""
    world = World(2, devices=machine(sizes))
    others = [Waiting(f"j-o{n}", "p", "default", *small) for n in range(5)]
    world, _ = run(world, others)
    before, big = world.running, Waiting("j-big", "p", "default", *need)
    if not isinstance(fit(*need, world.devices, ()), tuple):
        return
    for count in range(len(before) + 1):
        world, found = run(world, [big, *(Waiting(f"j-n{count}-{n}", "p", "default", *small) for n in range(5))])
        if found[0].lease is not None:
            return
        left = [one for one in before if one in world.running]
        gone = ends.choice(left)  # type: ignore[attr-defined]
        world = world._replace(running=tuple(one for one in world.running if one != gone))
    raise AssertionError("it never began")


def test_ten_thousand_jobs_are_decided_at_once() -> None:
    """For who shows the queue; and next to none of them where nothing behind could begin."""
    waiting = [job(str(n), gpus=n % 2) for n in range(10_000)]
    with at_most(0.15):
        assert len(list(admit(waiting, FOUR))) == 10_000
    full = CPU_ONLY._replace(running=(held("x"), held("y")))
    assert list(admit(waiting, full, is_brief=True)) == []


def test_candidates_are_of_one_kind() -> None:
    """A part is of a GPU where there is one, however full, and never of the host instead."""
    assert [one.key for one in candidates(Need(0, GB), FOUR.devices)] == [A.key, B.key, C.key, D.key]
    full = [(one.key, None) for one in (A, B, C, D)]
    assert fit(0, GB, FOUR.devices, full) == "needs 1.0 GB of a device: 0 B free"
