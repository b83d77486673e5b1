"""What each kind of record makes of a thing's words, beyond the fields its parts fill. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

from neatd.assist.notes.context import Here
from neatd.assist.notes.fields import before_after, files_of
from neatd.assist.notes.findings import SAYS_KIND, Thing, bug, decision, experiment, hypothesis, known_status
from neatd.assist.notes.plain import cut, plain, unnumbered
from neatd.assist.notes.sections import horizon_of, normal, status_of


def nothing(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {}


def component_of(here: Here) -> str:
    """What an insight is about: the heading above it, unless that only says that these are insights."""
    words = normal(here.about)
    if not words or (
        here.about == here.told
        and re.match(
            r"(?:key |main |my |our |recent )?(?:insight|observation|finding|result|note|discover|learning|analysis)",
            words,
        )
    ):
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
    status = (
        thing.mark.status or (known_status(stated) if stated else "") or (status_of(words) if thing.is_heading else "")
    )
    known = thing.here.status
    if not status or (status == "open" and thing.mark.is_box and known in ("blocked", "in progress")):
        status = known if known and (known != "done" or not thing.mark.is_box) else "open"
    horizon = horizon_of(str(fields.pop("horizon", ""))) or thing.here.horizon
    return {
        "status": status,
        "horizon": "" if status == "done" else horizon,
        "phase": fields.get("phase") or thing.here.phase,
    }


def _insight(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {
        "component": fields.get("component") or component_of(thing.here),
        "phase": fields.get("phase") or thing.here.phase,
        "forever": thing.here.source.is_forever,
    }


def _placed(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    """Component and phase for kinds that are about a part of the project."""
    label = thing.label
    component = (
        label.name
        if label and label.is_bold and len(label.name) <= 40 and not SAYS_KIND.match(label.name)
        else component_of(thing.here)
    )
    return {"component": fields.get("component") or component, "phase": fields.get("phase") or thing.here.phase}


def _rule(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {"about": _about(thing.here)}


def _goal(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {
        "horizon": thing.here.horizon,
        "status": thing.mark.status if thing.mark.status == "done" or thing.mark.is_box else "",
    }


def _document(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = thing.mark.text[:600]
    link = re.search(r"\]\(([^()\s]{1,300})\)", words)
    at = re.findall(r"(?<![\w@])@([\w./~-]{2,200})", words)
    path = (
        fields.get("path")
        or (link[1] if link and not re.search(r"`[^`]+\.\w+`", words) else "")
        or next(iter(files_of(words)), "")
        or (at[0] if at else "")
    )
    stated = re.search(r"\b(draft|approved|implemented|superseded)\b", words, re.I)
    is_first = bool(at) or bool(
        re.search(
            r"must[- ]read|read (?:this )?first|required reading", f"{thing.here.about} {thing.here.told} {words}", re.I
        )
    )
    return {
        "path": str(path).rstrip(".,;").removeprefix("@"),
        "status": stated[1].lower() if stated else "",
        "must_read": is_first,
    }


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
        given["tags"] = (thing.here.phase,) if thing.here.phase else ()
    return given


def _leading_files(text: str) -> tuple[str, ...]:
    """The files an item begins with: "`train.py` - …", "train.py, ui.html: …"."""
    head = re.split(r"\s[-–—]\s|:\s", text[:300], maxsplit=1)[0]
    return files_of(head)


def _data(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = thing.mark.text[:600]
    rows = re.search(r"(\d[\d,_]*)\s?(?:rows|samples|examples|records|images|sequences)\b", words)
    stage = re.search(r"\b(raw|processed)\b", words, re.I)
    return {
        "path": next(iter(files_of(words)), ""),
        "stage": stage[1].lower() if stage else "",
        "rows": int(re.sub(r"\D", "", rows[1])[:15]) if rows else None,
    }


def _service(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = thing.mark.text[:1000]
    url = re.search(r"https?://[^\s`)>\]\"']{3,300}", words)
    status = re.search(r"\b(running|stopped|active|healthy|down)\b", words, re.I)
    is_up = thing.mark.status == "done" or "running" in thing.here.about.lower()
    return {
        "url": fields.get("url") or (url[0].rstrip(".,") if url else ""),
        "status": status[1].lower() if status else "running" if is_up else "",
    }


def _phase(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    words = plain(thing.mark.text[:400])
    stated = re.split(r"\s[-–—]\s", words)[-1] if re.search(r"\s[-–—]\s", words) else status_of(words)
    return {"status": fields.get("status") or (stated if len(stated) <= 60 else "")}


def _command(thing: Thing, fields: dict[str, object]) -> dict[str, object]:
    return {"about": _about(thing.here)}


OF_KIND: dict[str, Callable[[Thing, dict[str, object]], dict[str, object]]] = {
    "task": _task,
    "bug": bug,
    "decision": decision,
    "hypothesis": hypothesis,
    "insight": _insight,
    "assessment": _placed,
    "lesson": lambda thing, _: {"phase": thing.here.phase},
    "challenge": lambda thing, _: {"phase": thing.here.phase},
    "preference": _rule,
    "style": _rule,
    "goal": _goal,
    "document": _document,
    "change": _change,
    "data": _data,
    "service": _service,
    "experiment": experiment,
    "phase": _phase,
    "command": _command,
}
