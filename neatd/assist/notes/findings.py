"""What bugs, decisions, hypotheses and experiments make of a thing's words, beyond the fields its parts fill. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from neatd.assist.notes.cells import ended_badly, params_in, state_in, value_of
from neatd.assist.notes.context import Here
from neatd.assist.notes.decided import decision_status
from neatd.assist.notes.fields import Label, before_after, is_path, label_of, metric_in, prediction_of
from neatd.assist.notes.marks import Marked
from neatd.assist.notes.parts import Part
from neatd.assist.notes.plain import plain, title_of
from neatd.assist.notes.said import date_at_start
from neatd.assist.notes.sections import normal, status_of

SAYS_BUG = re.compile(r"(?:\w+ )?(?:symptom|error|problem|issue|fix|warning|important|note)s?$", re.I)


class Thing(NamedTuple):
    """Words that become one record: `mark` its own words and what their marks say, `parts` what stands below,
    `is_heading` when the words are a heading's."""

    mark: Marked
    parts: Sequence[Part]
    lines: Sequence[int]
    here: Here
    is_heading: bool = False

    @property
    def label(self) -> Label | None:
        return label_of(self.mark.text)


# Names of fields that only say what kind of thing follows: they are no part of its title.
SAYS_KIND = re.compile(
    r"^(?:key |main |new |major |minor |critical |known |open )?(?:insight|finding|observation"
    r"|decision|hypothesis|bug|issue|problem|fixed|fix|bug ?fix|error|symptom|note|todo|to do"
    r"|task|lesson(?: learned)?|learning|takeaway|risk|blocker|question|challenge|goal|objective"
    r"|resolved|solved|done|completed?|next|rule|tip|gotcha|warning|important|observations?"
    r"|in progress|pending|result|fixme)s?(?: [#]?\d{1,3})?$",
    re.I,
)


def known_status(words: str) -> str:
    return status_of(f"({words})") or words[:40]


def bug(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = "\n".join([thing.mark.text, *(part.raw for part in thing.parts)])
    given: dict[str, object] = {}
    pair = before_after(words)
    if pair and "before" not in fields:
        given.update(before=pair[0], after=pair[1])
    stated = str(fields.pop("status", "")).lower()
    label = thing.label
    is_fixed = (
        thing.mark.status == "done" or "fix" in fields or re.search(r"fixed|resolved|solved|closed|done|✅", stated)
    )
    if label and re.match(r"(?:fixed|resolved|solved|fix)$", label.name, re.I):
        is_fixed = True
    if thing.here.status == "fixed" and not stated and not (thing.mark.is_box and thing.mark.status != "done"):
        is_fixed = True
    if re.search(r"\((?:fixed|resolved|solved)\b|\b(?:FIXED|RESOLVED)\b|\bfixed\W*$", plain(thing.mark.text[:400])):
        is_fixed = True
    if "fix" not in fields and (mended := _MENDED.search(plain(thing.mark.text[:2000]))):
        given["fix"], is_fixed = mended[1].strip(), True
    problem = next(
        (
            part
            for part in thing.parts
            if re.match(r"(?:problem|symptoms?|issue|error|bug|description)$", part.name, re.I)
        ),
        None,
    )
    if problem and not thing.is_heading and not any(map(str.isalnum, thing.mark.text)):
        given["title"] = title_of(problem.text)
    return {**given, "status": "fixed" if is_fixed else "open", "file": fields.get("file") or _named_files(thing)}


# "Fixed by --max-samples." as a sentence of its own, or behind a dash; not "not fixed by".
_MENDED = re.compile(
    r"(?:^|[.;!?…—–]\s+|\s-\s)(?:Fixed|Solved|Resolved|fixed|solved|resolved) (?:by|with|via)\s+(\S[^\n]{0,300}?)\.?\s*$"
)


def _named_files(thing: Thing) -> tuple[str, ...]:
    """Files that the words name in backticks."""
    coded = re.findall(r"`([^`\n]{1,200})`", thing.mark.text[:1000])
    return tuple(one for one in coded if is_path(one))


_BECAUSE = re.compile(r"\bbecause(?: of)?\s+([^\n]{3,600}?)\s*(?:$|\n|(?<=[.!?])\s)", re.I)
_SUPERSEDES = re.compile(
    r"^[ \t*+-]{0,6}(?:Supersedes|Replaces):?[ \t]+"
    r"(?:\[(?:ADR[- ]?)?(\d{1,5})\b[^\]\n]{0,120}\]|(?:ADR[- ]?)?(\d{1,5})\b(?!\s+\w))",
    re.I | re.M,
)


def _because(thing: Thing, chosen: Part | None) -> str:
    """The reason that the decision's own words give: "We use X because Y"."""
    unnamed = [part.text for part in thing.parts if not part.name][:1] if thing.is_heading and not chosen else []
    for words in (chosen.text if chosen else "", thing.mark.text, *unnamed):
        if found := _BECAUSE.search(plain(words[:2000])):
            return found[1].rstrip(".")
    return ""


def decision(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    given: dict[str, object] = {}
    stated = plain(str(fields.pop("status", ""))).lower()
    if stated:
        given["status"] = decision_status(stated) or stated[:40]
    elif thing.mark.text.startswith("~~") or re.search(r"\bsuperseded by\b", thing.mark.text[:400], re.I):
        given["status"] = "superseded"
    chosen = next(
        (
            part
            for part in thing.parts
            if re.match(
                r"(?:decision|decision outcome|chosen(?: option)?|choice|we decided|outcome|resolution|decided)\W*$",
                part.name,
                re.I,
            )
            and part.text.strip()
        ),
        None,
    )
    if "why" not in fields and (reason := _because(thing, chosen)):
        given["why"] = reason
    named = [part.raw for part in thing.parts] if "supersedes" not in fields else []
    if found := next(filter(None, map(_SUPERSEDES.search, named)), None):
        given["supersedes"] = found[1] or found[2]
    label = thing.label
    is_bare = thing.is_heading and (
        not normal(thing.mark.text)
        or re.fullmatch(r"(?:\d{4}-\d{2}-\d{2}|decisions?|adr)[\s:#\d-]*", normal(thing.mark.text))
    )
    if chosen and (is_bare or (label and not label.value and label.name.lower() == "decision")):
        given["title"] = title_of(chosen.text)
    return given


_REFUTED = re.compile(
    r"refut|reject|disprov|invalidat|falsified|\bfalse\b|\bnot (?:supported|confirmed|validated|true)"
)
_SUPPORTED = re.compile(r"support|confirm|validated|proven|\btrue\b")


def verdict_of(words: str) -> str:
    """refuted or supported, when words say so."""
    return "refuted" if _REFUTED.search(words) else "supported" if _SUPPORTED.search(words) else ""


def hypothesis(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    """Its prediction where one parses, and how it ended: what a field says, or the brackets at the end."""
    words = "\n".join([thing.mark.text, *(part.text for part in thing.parts)])
    at_end = re.search(r"\(([^()\n]{1,60})\)\W*$", thing.mark.text[-200:])
    stated = f"{fields.pop('status', '')} {fields.pop('verdict', '')} {at_end[1] if at_end else ''}".lower()
    status = verdict_of(stated) or {"done": "closed", "dropped": "dropped"}.get(thing.mark.status, "open")
    return {"status": status, "predict": prediction_of(str(fields.pop("predict", ""))) or prediction_of(words)}


def experiment(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = "\n".join([thing.mark.text, *(part.raw for part in thing.parts)])
    found = (
        metric_in(thing.mark.text)
        or next(
            (
                one
                for part in thing.parts
                if re.match(r"result|metric|outcome|score|final|val|best", part.name, re.I)
                and (one := metric_in(part.raw.replace("|", ":")))
            ),
            None,
        )
        or metric_in(words)
    )
    params: dict[str, object] = {}
    for part in thing.parts:
        if (
            re.match(
                r"(?:\w+ )?(?:config|set-?up|param|hyper-?param|setting|model|architecture|change)", part.name, re.I
            )
            and "\n" in part.text
        ):
            params.update(_listed_params(part.text))
        short = plain(part.text)
        if (
            part.name
            and short
            and len(short) <= 120
            and "\n" not in part.text.strip()
            and normal(part.name) not in ("status", "run")
        ):
            params[part.name] = short
    if not params and date_at_start(thing.mark.text):  # a line of a log: "2025-01-14: lr=1e-3 -> loss 0.31"
        told = params_in(thing.mark.text[:400])
        params = {name: value for name, value in told.items() if not found or name != found[0]}
    stated = str(fields.pop("status", "")).lower()
    ended = next(
        (
            part.text[:80]
            for part in thing.parts
            if re.fullmatch(r"(?:final )?(?:results?|outcome|verdict)", normal(part.name))
        ),
        "",
    )
    status = (
        state_in(stated) or (known_status(stated) if stated else "") or thing.mark.status or status_of(thing.mark.text)
    )
    if not status or status == "open":
        status = (
            state_in(ended) or "done"
            if found
            else bad
            if (bad := ended_badly(f"{ended} {thing.mark.text[:300]}"))
            else "planned"
            if re.search(r"queue|planned|next|to run", f"{thing.here.told} {thing.here.about}", re.I)
            else ""
        )
    return {
        "metric": found[0] if found else "",
        "value": found[1] if found else None,
        "params": params,
        "status": status,
    }


def _listed_params(text: str) -> dict[str, object]:
    """The parameters of a list: "- LR: 1e-4"."""
    rows = [label_of(row.strip().lstrip("-*+ ")) for row in text.split("\n", 80)[:80]]
    return {one.name: value_of(one.value) for one in rows if one and one.value and len(one.value) <= 120}
