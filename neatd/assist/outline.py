"""Open tasks as an outline: what is in progress first, then by horizon, subtasks under their parents. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from neatd.knowledge import Task

HORIZONS = ("now", "", "24-48h", "week", "later")  # none said is next: what waits for a day says so
DEEPEST = 8  # levels that are shown; what lies deeper stands at that level, so that no number is endless
ACTIVE = frozenset({"in progress", "in-progress", "in_progress", "active", "doing", "started", "running", "current"})


class Step(NamedTuple):
    """A task in its place. `parts` are all tasks below one that is part of none, in their order."""

    task: Task
    number: str  # "2" or "2.1.3", counted over the whole outline
    horizon: str = ""  # one of HORIZONS; "" for none and for words of one's own
    parts: tuple[Step, ...] = ()


class Outline(NamedTuple):
    """The trees of tasks; a tree stays together, with the horizon of its first task."""

    active: list[Step]  # those with a task that somebody works on
    waiting: dict[str, list[Step]]  # by horizon, in the order of HORIZONS
    has_horizons: bool


def outline(tasks: Iterable[Task]) -> Outline:
    """Every task in one tree, also those whose parents are closed, missing or their own descendants."""
    tasks = tuple(tasks)
    known = {task.id for task in tasks}
    below: dict[str, list[Task]] = {}
    for task in tasks:
        below.setdefault(task.parent if task.parent in known else "", []).append(task)
    seen: set[str] = set()
    trees = [_tree(task, below, seen) for task in below.get("", [])]
    trees += [_tree(task, below, seen) for task in tasks if task.id not in seen]  # in a circle of parents
    placed = [(is_active(tree), horizon_of(tree[0][0]), tree) for tree in trees if tree]
    placed.sort(key=lambda one: (not one[0], HORIZONS.index(one[1])))
    found = Outline([], {horizon: [] for horizon in HORIZONS}, any(_said(tree[0][0]) for _, _, tree in placed))
    for index, (active, horizon, tree) in enumerate(placed, 1):
        (found.active if active else found.waiting[horizon]).append(_step(horizon, tree, index))
    return found


def _step(horizon: str, tree: list[tuple[Task, int]], index: int) -> Step:
    (root, number), *parts = _numbered(tree, index)
    return Step(root, number, horizon, tuple(Step(task, inner) for task, inner in parts))


def horizon_of(task: Task) -> str:
    """A task's horizon as one of HORIZONS. One that `--top` put before all others (its position is below zero) and that
    says none is for now."""
    return _said(task) or ("now" if task.position < 0 and not task.horizon.strip() else "")


def _said(task: Task) -> str:
    said = "".join(task.horizon.lower().split()).replace("–", "-")
    return said if said in HORIZONS else ""


def is_active(tree: list[tuple[Task, int]]) -> bool:
    """Whether somebody works on a task of it."""
    return any(task.status.strip().lower() in ACTIVE for task, _ in tree)


def _tree(root: Task, below: dict[str, list[Task]], seen: set[str]) -> list[tuple[Task, int]]:
    """(task, depth) of a task and all below it, in their order; without recursion, since depth may be anybody's."""
    found: list[tuple[Task, int]] = []
    waiting = [(root, 0)]
    while waiting:
        task, depth = waiting.pop()
        if task.id in seen:
            continue
        seen.add(task.id)
        found.append((task, depth))
        waiting.extend((part, min(depth + 1, DEEPEST)) for part in reversed(below.get(task.id, [])))
    return found


def _numbered(tree: list[tuple[Task, int]], index: int) -> Iterable[tuple[Task, str]]:
    counts = [index]
    for task, depth in tree:
        if depth:
            counts[depth:] = [counts[depth] + 1 if depth < len(counts) else 1]
        yield task, ".".join(map(str, counts))
