"""What an assistant is told when its session begins, and what it is told of in between: facts in, text out. Pure.

The brief is the larger part. Before it stands what changes from minute to minute, the runs that go on; and what was made
since the brief was written. Facts, never orders: text that reads like a command may be taken for an attack.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from neatd.now import MOST_COUNTED, Happened, News, Now, RunNow, Said, Value
from neatd.private import private_text
from neatd.redact import redact

MOST_CHARACTERS = 9500  # assistants take 10,000 and replace a longer text by a preview of 2,000
_LONGEST_LINE = 400
# Control characters, marks that turn the direction of writing, and letters that no screen shows.
_UNSEEN = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f"
_TAG = re.compile(r"<(?=/?[A-Za-z][A-Za-z_:-]{0,39}(?:\s[^<>]{0,200})?/?>)")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def context(now: Now, brief: str, at: float, written_at: float | None, clock: str) -> str:
    """The text for a session that begins at `at` (unix seconds), shown as `clock`; whole lines, at most 9,500 characters."""
    head = _where(now, clock)
    if written_at is not None and brief:
        head += [f"The brief below was written {_age(at - written_at)}; what stands before it is of now."]
    if now.watching:
        head += [f"Not watched: {_line(now.watching)}. Runs are told as they were seen last."]
    head += _section("Runs now", (run_line(run, at) for run in now.runs))
    head += _section(
        "Anomalies since the brief was written" if written_at else "Anomalies", map(happened_line, now.happened)
    )
    head += _next(now, at)
    if written_at is None:
        since = "Records (no brief is written yet: neatd writes it to .neat/brief.md)"
    else:
        since = f"Since the brief below was written, {_age(at - written_at)}"
    over = "over " if now.more_since >= MOST_COUNTED else ""
    more = [f"- and {over}{now.more_since} more: `neat list`, `neat search WORDS`"] if now.more_since else []
    head += _section(since, [*map(said_line, now.since), *more])
    return _fitted(redact("\n".join(head)), cleaned(brief))


def context_without_store(now: Now, why: str, brief: str, at: float, written_at: float | None, clock: str) -> str:
    """The text for a session that begins while the store gives no answer: what the project's files tell, and no more."""
    head = _where(now, clock)
    head += [f"The store did not answer ({_line(why)}): runs, anomalies and records of now are not told here."]
    if now.watching:
        head += [f"Not watched: {_line(now.watching)}."]
    if written_at is not None and brief:
        head += [f"The brief below was written {_age(at - written_at)}."]
    else:
        head += ["No brief is written (.neat/brief.md)."]
    head += ["`neat brief` asks the store once more; `neat doctor` says what is wrong with it."]
    return _fitted(redact("\n".join(head)), cleaned(brief))


def _where(now: Now, clock: str) -> list[str]:
    """Which project, when, and where its git stands."""
    head = [f"From neat, the lab notebook of this project ({_line(now.project)}), at {clock}."]
    if now.branch or now.commit:
        branch = f"branch {_line(now.branch)}" if now.branch else "detached HEAD"
        head += [f"Git: {branch} at {now.commit[:8] or 'no commit yet'}."]
    return head


def news(told: News) -> str:
    """What happened while a session was open, one line each; "" for nothing."""
    lines = [happened_line(one) for one in told.happened]
    if told.more:
        lines.append(f"- and {told.more} before these: `neat events`")
    return redact("\n".join(["From neat, since it was last asked in this session:", *lines])) if lines else ""


def happened_line(one: Happened) -> str:
    """An anomaly or a run's end in one line."""
    where = f" in {_line(one.run)}" if one.run else ""
    return f"- {_line(one.what)}{where}: {_line(one.message)} (`neat show {one.id[:9]}`)"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return ["", f"## {title}", *found] if found else []


def _next(now: Now, at: float) -> list[str]:
    """The next step: the first open tasks, else what the runs still have to do."""
    if now.tasks:
        return _section("Next", (f"{n}. {_line(one.title)} ({one.id[:9]})" for n, one in enumerate(now.tasks, 1)))
    left = next((text for run in now.runs if (text := _left(run, at))), "")
    none = "No next step is recorded (`neat task TEXT` keeps one)."
    return _section("Next", [none + (f" {left}" if left else "")])


def run_line(run: RunNow, at: float) -> str:
    """A run in one line: how it stands, how far it is, its last values."""
    step = "" if run.step is None else f", step {run.step}" + (f" of {run.planned_steps}" if run.planned_steps else "")
    seen = "" if run.line_at is None else f", last line {_age(at - run.line_at)}"
    values = "; ".join(map(_value, run.values))
    why = f" ({_line(run.reason)})" if run.reason else ""
    began = min(run.started_at, run.line_at or run.started_at)  # a run may be found when it is over
    return f"- {_line(run.name)} ({run.id[:9]}): {run.status}{why}{step}, began {_age(at - began)}{seen}" + (
        f". Last: {values}" if values else ""
    )


def _left(run: RunNow, at: float) -> str:
    if run.status not in ("starting", "running") or not run.planned_steps or run.step is None:
        return ""
    left, took = run.planned_steps - run.step, (run.line_at or at) - run.started_at
    if left <= 0:
        return ""
    eta = f", about {_span(left * took / run.step)} at its pace so far" if run.step > 0 and took > 0 else ""
    return f"{_line(run.name)} has {left} of {run.planned_steps} steps to go{eta}; then `neat table` compares it."


def _value(one: Value) -> str:
    number = "NaN" if one.last is None or math.isnan(one.last) else f"{one.last:.5g}"
    return f"{_line(one.metric)} {number}" + (f" at step {one.step}" if one.step is not None else "")


def said_line(one: Said) -> str:
    """A record in one line."""
    how = "" if one.is_new else ", changed"
    why = f" — because {_line(one.why)}" if one.why else ""
    return f"- {one.kind}, {_line(one.status)}{how}: {_line(one.title)}{why} ({one.id[:9]})"


def _line(text: str) -> str:
    """One line without control characters and addresses."""
    flat = _untagged(re.sub(rf"[{_UNSEEN}\s]+", " ", private_text(text)).strip())
    return flat if len(flat) <= _LONGEST_LINE else flat[: _LONGEST_LINE - 1] + "…"


def cleaned(brief: str) -> str:
    """A brief without what a file of a repository may hide in it. More of it than fits is not looked at."""
    seen = re.sub(rf"(?!\n)[{_UNSEEN}]", "", brief[: 2 * MOST_CHARACTERS].replace("\t", " "))
    return _untagged(redact(private_text(seen))).strip("\n")


def _untagged(text: str) -> str:
    """No tag opens or closes in it: an assistant may take one for its own. "loss < 2.5" stays what it is."""
    return _TAG.sub("‹", text)


def _age(seconds: float) -> str:
    return "just now" if seconds < 2 else f"{_span(seconds)} ago"


def _span(seconds: float) -> str:
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.0f} h" if seconds < 2 * _DAY else f"{seconds / _DAY:.0f} days"


def _fitted(head: str, brief: str) -> str:
    """Head and brief in whole lines; what does not fit is said. The head has its part even beside a long brief."""
    whole = f"{head}\n\n{brief}" if brief else head
    if len(whole) <= MOST_CHARACTERS:
        return whole
    room = max(MOST_CHARACTERS - len(brief), MOST_CHARACTERS // 3) if brief else MOST_CHARACTERS
    head = _cut(head, room - 4, "… more: `neat list`")
    return (
        f"{head}\n\n" + _cut(brief, MOST_CHARACTERS - len(head) - 2, "… cut here: `neat brief` prints all of it")
        if brief
        else head
    )


def _cut(text: str, room: int, said: str) -> str:
    if len(text) <= room:
        return text
    kept = text[: max(0, room - len(said) - 1)]
    return kept[: kept.rfind("\n") + 1] + said
