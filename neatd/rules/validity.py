"""Whether a record still holds here and now: its conditions, its branch, the tree that a test saw. Pure.

Says only what the facts show: what was not looked at is never called stale.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from neatd.knowledge import Handoff, Machine, Preference, Record, Service, Session, TestRun
from neatd.models import ENDED

CONDITION_FORMS = (
    "file PATH, ancestor COMMIT, branch NAME, run ID (while it runs), run ID status finished, until 2026-03-01"
)
# These are about people and machines and not about the code: they hold on every branch.
EVERYWHERE = (Preference, Machine, Service, Session, Handoff)
_FILE = re.compile(r"^file (?P<name>.+) (?P<value>sha256:[0-9a-f]{64})$")
_COMMIT = re.compile(r"^ancestor (?P<name>[0-9a-f]{40}(?:[0-9a-f]{24})?)$")
_BRANCH = re.compile(r"^branch (?P<name>\S+)$")
_RUN = re.compile(r"^run (?P<name>.+?)(?: status (?P<value>[a-z]+))?$")
_UNTIL = re.compile(r"^until (?P<name>\S+)$")


class Condition(NamedTuple):
    """One `valid_while`: `name` is the path, commit, branch, run or moment; `value` the hash or the status."""

    kind: Literal["file", "ancestor", "branch", "run", "until"]
    name: str
    value: str = ""


class Source(NamedTuple):
    """Where a number of evidence came from: a metric of a run at a step; of a recorded experiment only its id."""

    run: str
    metric: str = ""
    step: int = 0


class ValidityFacts(NamedTuple):
    """What is so now. A path, commit or run that is in none of these was not looked at."""

    is_repo: bool = False  # git could be asked: without it nothing is said of branches and commits
    branch: str = ""  # empty when HEAD is detached
    commit: str = ""
    unmerged: frozenset[str] = frozenset()  # commits that HEAD does not contain
    unknown: frozenset[str] = frozenset()  # commits that this repository does not have
    forks: frozenset[str] = frozenset()  # commits of HEAD that an unmerged branch was made on
    tips: Mapping[str, str] | None = None  # branch -> its last commit; None when they were not asked for
    trunks: frozenset[str] = frozenset()  # the branches that others are made from
    landed: frozenset[str] = frozenset()  # unmerged tips whose every change HEAD has: squashed, rebased
    hashes: Mapping[str, str] = {}  # path -> "sha256:…", "" when it is gone
    runs: Mapping[str, tuple[str, str]] = {}  # run as the condition names it -> (name, status); ("", "") when not known
    tree: str = ""  # state of the tree, "" when it was not asked for
    numbers: Mapping[
        Source, float | None
    ] = {}  # what the store has now; None where a metric that was read lost the step


def parse_condition(text: str) -> Condition | None:
    """A stored condition; None for one that is not understood (from a newer neat, or edited by hand)."""
    if found := _FILE.match(text):
        return Condition("file", found["name"], found["value"])
    if found := _COMMIT.match(text):
        return Condition("ancestor", found["name"])
    if found := _BRANCH.match(text):
        return Condition("branch", found["name"])
    if found := _UNTIL.match(text):
        return Condition("until", found["name"]) if _moment(found["name"]) else None
    if found := _RUN.match(text):
        return Condition("run", found["name"], found["value"] or "")
    return None


def why_stale(record: Record, facts: ValidityFacts, now: datetime) -> str:
    """Why a record may no longer hold, or not hold here; "" when it holds. `now` is aware; its zone ends the days."""
    reasons = broken_conditions(record, facts, now) + lost_numbers(record, facts)
    if isinstance(record, TestRun) and record.tree and facts.tree:
        if record.tree != facts.tree:
            reasons.append("the tree has changed since")
    elif not isinstance(record, EVERYWHERE):
        reasons += _off_branch(record, facts)
    return "; ".join(reasons)


def broken_conditions(record: Record, facts: ValidityFacts, now: datetime) -> list[str]:
    """Which of a record's `valid_while` no longer hold, each as a reason."""
    reasons = []
    for text in record.valid_while:
        condition = parse_condition(text)
        reason = f"its condition is not understood: {text}" if condition is None else _broken(condition, facts, now)
        if reason:
            reasons.append(reason)
    return reasons


def source_of(number: Mapping[str, Any]) -> Source | None:
    """Where a piece of evidence came from; None for one that holds no number, or that is not understood."""
    experiment, run, metric, step = (number.get(name) for name in ("experiment", "run", "metric", "step"))
    if number.get("value") is None:
        return None
    if isinstance(experiment, str):
        return Source(experiment)
    is_known = isinstance(run, str) and isinstance(metric, str) and isinstance(step, int) and abs(step) < 1 << 63
    return Source(run, metric, step) if is_known else None  # type: ignore[arg-type]


def lost_numbers(record: Record, facts: ValidityFacts) -> list[str]:
    """Which numbers of a record's evidence the store has otherwise by now, each as a reason."""
    reasons = []
    for number in record.evidence:
        source = source_of(number)
        if source is None or source not in facts.numbers:
            continue
        now, was = facts.numbers[source], _float(number["value"])
        if was is not None and not _is_same(was, now):
            reasons.append(f"{_said(number, source)} is {_difference(now, was)}")
    return list(dict.fromkeys(reasons))


def _said(number: Mapping[str, Any], source: Source) -> str:
    name = " ".join(str(number.get("run_name") or number.get("name") or source.run).split())
    metric = f":{number['metric']}" if number.get("metric") else ""
    return f"{name}{metric}" + (f"@{source.step}" if source.metric else "")


def _difference(now: float | None, was: float) -> str:
    if now is None:
        return f"not there any more, was {was:.4g}"
    short, long = (f"{now:.4g}", f"{was:.4g}"), (repr(now), repr(was))
    told = short if short[0] != short[1] else long
    return f"now {told[0]}, was {told[1]}"


def _is_same(was: float, now: float | None) -> bool:
    return now is not None and (was == now or (math.isnan(was) and math.isnan(now)))


def _float(value: object) -> float | None:
    """A stored number (non-finite ones are text), None for what is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def _broken(condition: Condition, facts: ValidityFacts, now: datetime) -> str:
    kind, name, value = condition
    if kind == "file":
        found = facts.hashes.get(name, value)
        return "" if found == value else f"{name} changed since" if found else f"{name} is gone"
    if kind == "ancestor":
        return _commit_reason(name, facts)
    if kind == "branch":
        here = facts.branch or "a detached HEAD"
        return f"it holds on branch {name}, this is {here}" if facts.is_repo and facts.branch != name else ""
    if kind == "until":
        return f"it held until {name}" if _is_past(name, now) else ""
    return _run_reason(name, value, facts)


def _commit_reason(commit: str, facts: ValidityFacts) -> str:
    if not facts.is_repo:
        return ""
    if commit in facts.unknown:
        return f"commit {commit[:8]} is not known in this repository"
    return f"commit {commit[:8]} is not in this branch" if commit in facts.unmerged else ""


def _run_reason(run: str, wanted: str, facts: ValidityFacts) -> str:
    if run not in facts.runs:
        return ""
    name, status = facts.runs[run]
    if not status:
        return f"run {run} is not known here"
    if wanted:
        return "" if status == wanted else f"run {name} is {status}, not {wanted}"
    return f"run {name} ended: {status}" if status in ENDED else ""


def _off_branch(record: Record, facts: ValidityFacts) -> list[str]:
    """A commit that was amended or rebased away on the same branch says nothing; of others the branch's tip decides."""
    if not facts.is_repo or not record.commit or (record.branch and record.branch == facts.branch):
        return []
    if record.commit in facts.unknown:
        where = f"branch {record.branch}" if record.branch else "a detached HEAD"
        return [f"from {where} at commit {record.commit[:8]}, which this repository does not have"]
    is_apart = record.commit in facts.unmerged
    if not record.branch or facts.tips is None:
        name = f"branch {record.branch}" if record.branch else f"commit {record.commit[:8]}"
        return [f"on unmerged {name}"] if is_apart else []
    tip = facts.tips.get(record.branch)
    if tip is None:
        return [f"its branch {record.branch} is gone (merged by squash or rebase, or dropped)"] if is_apart else []
    if tip not in facts.unmerged or tip in facts.landed:
        return []
    # Before the first commit of a branch a record's commit is the one that the branch was made on. Of the trunk that
    # is every branch's own past: what was said there holds here too.
    is_before_first = record.commit in facts.forks and record.branch not in facts.trunks
    return [f"on unmerged branch {record.branch}"] if is_apart or is_before_first else []


def _is_past(text: str, now: datetime) -> bool:
    moment = _moment(text)
    if isinstance(moment, datetime):
        return now > moment
    return moment is not None and now.date() > moment


def _moment(text: str) -> date | None:
    """A day, which holds to its end, or an aware moment; None when it is neither."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
