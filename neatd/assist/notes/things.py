"""An item, a paragraph or a heading with all below it to one record of a kind. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from neatd.assist.notes.cells import value_of
from neatd.assist.notes.context import Here
from neatd.assist.notes.fields import Label, before_after, files_of, is_path, label_of, metric_in, prediction_of
from neatd.assist.notes.marks import Marked, marked
from neatd.assist.notes.parts import Part, fill
from neatd.assist.notes.plain import bare, cut, plain, says_more, title_of, unnumbered
from neatd.assist.notes.record import Draft, draft
from neatd.assist.notes.sections import horizon_of, normal, status_of


_SAYS_BUG = re.compile(r"(?:\w+ )?(?:symptom|error|problem|issue|fix|warning|important|note)s?$", re.I)


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
_SAYS_KIND = re.compile(
    r"^(?:key |main |new |major |minor |critical |known |open )?(?:insight|finding|observation|decision|hypothesis|bug|issue|problem|fixed|fix|bug ?fix|error|symptom|note|todo|to do"
    r"|task|lesson(?: learned)?|learning|takeaway|risk|blocker|question|challenge|goal|objective|resolved|solved|done|completed?|next|rule|tip|gotcha|warning|important|observations?"
    r"|in progress|pending|result)s?(?: [#]?\d{1,3})?$",
    re.I,
)


def _says_kind(thing: Thing, kind: str) -> bool:
    """Whether the name in front only says the kind of record."""
    label = thing.label
    return bool(label and _SAYS_KIND.match(label.name) and (kind == "bug" or not _SAYS_BUG.match(label.name)))


def thing_title(thing: Thing, kind: str) -> str:
    """The title: the words without a name that only says the kind, cut at a sentence when they are many."""
    text, label = thing.mark.text, thing.label
    if label and label.value and _says_kind(thing, kind):
        text = label.value
    elif thing.is_heading:
        text = unnumbered(bare(text))
    title = title_of(text)
    if not any(map(str.isalnum, title)) and thing.parts:
        title = title_of(thing.parts[0].raw)
    return title


def make(kind: str, thing: Thing) -> Draft:
    """The record of `kind` that `thing` is."""
    title = thing_title(thing, kind)
    fields, left = fill(kind, thing.parts)
    fields.update({name: value for name, value in _OF_KIND.get(kind, _nothing)(thing, fields).items() if value})
    title = str(fields.pop("title", title))
    words = unnumbered(bare(thing.mark.text)) if thing.is_heading else thing.mark.text
    own = words if says_more(words, title) and not _is_only_label(thing, kind) else ""
    body = "\n".join(filter(None, (own, left)))
    return draft(kind, title, body, thing.lines, **fields)


def _is_only_label(thing: Thing, kind: str) -> bool:
    """Whether the title lacks nothing but a name like "Key insight 3"."""
    label = thing.label
    return bool(label and _says_kind(thing, kind) and not says_more(label.value, title_of(label.value)))


def _nothing(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {}


def component_of(here: Here) -> str:
    """What an insight is about: the heading above it, unless that only says that these are insights."""
    words = normal(here.about)
    if not words or here.about == here.told and re.match(r"(?:key |main |my |our |recent )?(?:insight|observation|finding|result|note|discover|learning|analysis)", words):
        return ""
    if re.match(r"(?:\w+ )?(?:architecture|overview|structure|tech stack|design)\b", words) and here.about == here.told:
        return "architecture"
    return cut(re.sub(r"\s*\([^()]*\)\s*$", "", unnumbered(here.about)).rstrip(":"), 80)


def _about(here: Here) -> str:
    """The sub-heading that a rule stands under."""
    words = "" if here.about == here.told else here.about
    return cut(unnumbered(re.sub(r"\s*\([^()]*\)\s*$", "", words)).rstrip(":"), 80)


def _task(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = thing.mark.text
    stated = str(fields.pop("status", "")).lower()
    status = thing.mark.status or (_known_status(stated) if stated else "") or (status_of(words) if thing.is_heading else "")
    if not status:
        status = "open" if thing.mark.is_box else thing.here.status or "open"
    horizon = horizon_of(str(fields.pop("horizon", ""))) or thing.here.horizon
    return {"status": status, "horizon": "" if status == "done" else horizon, "phase": fields.get("phase") or thing.here.phase}


def _known_status(words: str) -> str:
    return status_of(f"({words})") or words[:40]


def _bug(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = "\n".join([thing.mark.text, *(part.raw for part in thing.parts)])
    given: dict[str, object] = {}
    pair = before_after(words)
    if pair and "before" not in fields:
        given.update(before=pair[0], after=pair[1])
    stated = str(fields.pop("status", "")).lower()
    label = thing.label
    is_fixed = thing.mark.status == "done" or "fix" in fields or re.search(r"fixed|resolved|solved|closed|done|✅", stated)
    if label and re.match(r"(?:fixed|resolved|solved|fix)$", label.name, re.I):
        is_fixed = True
    if thing.here.status == "fixed" and not stated and not (thing.mark.is_box and thing.mark.status != "done"):
        is_fixed = True
    if re.search(r"\((?:fixed|resolved|solved)\b|\b(?:FIXED|RESOLVED)\b|\bfixed\W*$", plain(thing.mark.text[:400])):
        is_fixed = True
    problem = next((part for part in thing.parts if re.match(r"(?:problem|symptoms?|issue|error|bug|description)$", part.name, re.I)), None)
    if problem and not thing.is_heading and not any(map(str.isalnum, thing.mark.text)):
        given["title"] = title_of(problem.text)
    return {**given, "status": "fixed" if is_fixed else "open", "file": fields.get("file") or _named_files(thing)}


def _named_files(thing: Thing) -> tuple[str, ...]:
    """Files that the words name in backticks."""
    coded = re.findall(r"`([^`\n]{1,200})`", thing.mark.text[:1000])
    return tuple(one for one in coded if is_path(one))


_DECIDED = (("superseded", r"supersed|replaced by"), ("accepted", r"accept|approved|adopted|decided|active|final"), ("proposed", r"propos|draft|pending"),
            ("dropped", r"reject|deprecat|dropped|abandon"), ("implemented", r"implemented|done|complete"))  # fmt: skip


def _decision(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    given: dict[str, object] = {}
    stated = plain(str(fields.pop("status", ""))).lower()
    if stated:
        given["status"] = next((name for name, pattern in _DECIDED if re.search(pattern, stated)), stated[:40])
    elif thing.mark.text.startswith("~~") or re.search(r"\bsuperseded by\b", thing.mark.text[:400], re.I):
        given["status"] = "superseded"
    chosen = next((part for part in thing.parts if re.match(r"(?:decision|decision outcome|chosen(?: option)?|choice|we decided|outcome|resolution|decided)\W*$", part.name, re.I) and part.text.strip()), None)
    label = thing.label
    is_bare = thing.is_heading and (not normal(thing.mark.text) or re.fullmatch(r"(?:\d{4}-\d{2}-\d{2}|decisions?|adr)[\s:#\d-]*", normal(thing.mark.text)))
    if chosen and (is_bare or (label and not label.value and label.name.lower() == "decision")):
        given["title"] = title_of(chosen.text)
    return given


def _hypothesis(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = " ".join([thing.mark.text, *(part.text for part in thing.parts)])
    stated = f"{fields.pop('status', '')} {fields.pop('verdict', '')} {thing.mark.text if thing.mark.sign or '(' in thing.mark.text else ''}".lower()
    status = "refuted" if re.search(r"refut|reject|disprov|invalidated|falsified|\bfalse\b", stated) else ""
    status = status or ("supported" if re.search(r"support|confirm|validated|proven|\btrue\b", stated) else "")
    status = status or {"done": "closed", "dropped": "dropped"}.get(thing.mark.status, "open")
    return {"status": status, "predict": prediction_of(words)} if "predict" not in fields else {"status": status, "predict": prediction_of(str(fields.pop("predict"))) or prediction_of(words)}


def _insight(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {"component": fields.get("component") or component_of(thing.here), "phase": fields.get("phase") or thing.here.phase,
            "forever": thing.here.source.is_forever}  # fmt: skip


def _placed(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    """Component and phase for kinds that are about a part of the project."""
    label = thing.label
    component = label.name if label and label.is_bold and len(label.name) <= 40 and not _SAYS_KIND.match(label.name) else component_of(thing.here)
    return {"component": fields.get("component") or component, "phase": fields.get("phase") or thing.here.phase}


def _rule(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {"about": _about(thing.here)}


def _goal(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {"horizon": thing.here.horizon, "status": thing.mark.status if thing.mark.status == "done" or thing.mark.is_box else ""}


def _document(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = thing.mark.text[:600]
    link = re.search(r"\]\(([^()\s]{1,300})\)", words)
    at = re.findall(r"(?<![\w@])@([\w./~-]{2,200})", words)
    path = fields.get("path") or (link[1] if link and not re.search(r"`[^`]+\.\w+`", words) else "") or next(iter(files_of(words)), "") or (at[0] if at else "")
    stated = re.search(r"\b(draft|approved|implemented|superseded)\b", words, re.I)
    is_first = bool(at) or bool(re.search(r"must[- ]read|read (?:this )?first|required reading", f"{thing.here.about} {thing.here.told} {words}", re.I))
    return {"path": str(path).rstrip(".,;").removeprefix("@"), "status": stated[1].lower() if stated else "", "must_read": is_first}


def _change(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    given: dict[str, object] = {"status": "done"}
    words = "\n".join([thing.mark.text, *(part.raw for part in thing.parts)])
    pair = before_after(thing.mark.text) or (before_after(words) if thing.is_heading else None)
    if pair and "before" not in fields:
        given.update(before=pair[0], after=pair[1])
    label = thing.label
    named = files_of(label.value) if label and re.match(r"(?:new )?files?\b", label.name, re.I) else ()
    given["file"] = fields.get("file") or named or _leading_files(thing.mark.text)
    if thing.here.source.is_changelog or re.match(r"\[?v?\d+\.\d+", thing.here.about):
        version = re.search(r"\bv?\d+\.\d+(?:\.\d+)?[\w.-]*|unreleased", f"{thing.here.phase} {thing.here.about}", re.I)
        given["tags"] = (version[0],) if version else ()
    return given


def _leading_files(text: str) -> tuple[str, ...]:
    """The files an item begins with: "`train.py` - …", "train.py, ui.html: …"."""
    head = re.split(r"\s[-–—]\s|:\s", text[:300], maxsplit=1)[0]
    return files_of(head)


def _data(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = thing.mark.text[:600]
    rows = re.search(r"(\d[\d,_]*)\s?(?:rows|samples|examples|records|images|sequences)\b", words)
    stage = re.search(r"\b(raw|processed)\b", words, re.I)
    return {"path": next(iter(files_of(words)), ""), "stage": stage[1].lower() if stage else "", "rows": int(re.sub(r"\D", "", rows[1])[:15]) if rows else None}


def _service(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = thing.mark.text[:1000]
    url = re.search(r"https?://[^\s`)>\]\"']{3,300}", words)
    status = re.search(r"\b(running|stopped|active|healthy|down)\b", words, re.I)
    is_up = thing.mark.status == "done" or "running" in thing.here.about.lower()
    return {"url": fields.get("url") or (url[0].rstrip(".,") if url else ""), "status": status[1].lower() if status else "running" if is_up else ""}


def _experiment(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = "\n".join([thing.mark.text, *(part.raw for part in thing.parts)])
    found = metric_in(thing.mark.text) or next((one for part in thing.parts if re.match(r"result|metric|outcome|score|final|val|best", part.name, re.I) and (one := metric_in(part.raw))), None) or metric_in(words)
    params: dict[str, object] = {}
    for part in thing.parts:
        if re.match(r"(?:\w+ )?(?:config|set-?up|param|hyper-?param|setting|model|architecture|change)", part.name, re.I) and "\n" in part.text:
            params.update(_listed_params(part.text))
        short = plain(part.text)
        if part.name and short and len(short) <= 120 and "\n" not in part.text.strip() and normal(part.name) not in ("status", "run"):
            params[part.name] = short
    stated = str(fields.pop("status", "")).lower()
    status = (_known_status(stated) if stated else "") or thing.mark.status or status_of(thing.mark.text)
    if not status:
        status = "done" if found else "planned" if re.search(r"queue|planned|next|to run", f"{thing.here.told} {thing.here.about}", re.I) else ""
    return {"metric": found[0] if found else "", "value": found[1] if found else None, "params": params, "status": status}


def _listed_params(text: str) -> dict[str, object]:
    """The parameters of a list: "- LR: 1e-4"."""
    rows = [label_of(row.strip().lstrip("-*+ ")) for row in text.split("\n", 80)[:80]]
    return {one.name: value_of(one.value) for one in rows if one and one.value and len(one.value) <= 120}


def _phase(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = plain(thing.mark.text[:400])
    stated = re.split(r"\s[-–—]\s", words)[-1] if re.search(r"\s[-–—]\s", words) else status_of(words)
    return {"status": fields.get("status") or (stated if len(stated) <= 60 else "")}


def _command(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {"about": _about(thing.here)}


_OF_KIND: dict[str, Callable[[Thing, dict[str, object]], dict[str, object]]] = {
    "task": _task, "bug": _bug, "decision": _decision, "hypothesis": _hypothesis, "insight": _insight, "assessment": _placed,
    "lesson": lambda thing, _: {"phase": thing.here.phase}, "challenge": lambda thing, _: {"phase": thing.here.phase}, "preference": _rule, "style": _rule,
    "goal": _goal, "document": _document, "change": _change, "data": _data, "service": _service, "experiment": _experiment, "phase": _phase,
    "command": _command,
}  # fmt: skip
