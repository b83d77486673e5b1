"""Headings that are one record with all below them: a decision with its context, a bug with its fix. Pure."""

from __future__ import annotations

import re

from neatd.assist.notes.context import Here
from neatd.assist.notes.fields import label_of
from neatd.assist.notes.marks import marked
from neatd.assist.notes.outline import LABEL_LEVEL, Node
from neatd.assist.notes.parts import field_of, last_line
from neatd.assist.notes.sections import is_numbered, meaning, normal

LINES_MAX = 300  # more than that is a chapter
_CONTEXT = re.compile(
    r"context|background|problem|problem statement|context and problem statement|issue|situation|question"
)
_DECISION = re.compile(
    r"decision|decision outcome|the decision|chosen(?: option| approach)?|we decided|resolution"
    r"|decided|choice|selected option"
)
_REASON = re.compile(
    r"rationale|why|reason(?:s|ing)?|alternatives(?: considered)?|options(?: considered)?"
    r"|considered (?:options|alternatives)|consequences|implications|impact"
    r"|trade-?offs|decision drivers|pros and cons(?: of the options)?|positive(?: consequences)?"
    r"|negative(?: consequences)?|alternatives rejected|rejected alternatives"
)
_ADR_OTHER = re.compile(
    r"status|date|deciders?|more information|links?|references?|notes?|related(?: \w+)?|confirmation"
    r"|validation|neutral|option \w+|compliance|technical story|supersede[sd](?: by)?|author|tags"
    r"|implementation(?: \w+)?|risks|summary|scope|review"
)
_PROBLEM = re.compile(r"problem|symptoms?|issue|error|bug|description|observed|what happened|error message")
_CAUSE = re.compile(r"(?:root )?causes?|root cause analysis|why it happened|diagnosis|underlying cause")
_FIX = re.compile(
    r"solution|fix|fixed(?: by)?|resolution|fix applied|the fix|solution applied|workaround|how fixed"
    r"|fix approach|the solution"
)
_PREDICTED = re.compile(r"prediction|predict|expected(?: result| outcome)?|hypothesis|success criteri(?:a|on)")
_SET_UP = re.compile(
    r"(?:key |main |training |model |experiment )?(?:config(?:uration)?|set-?up|parameters"
    r"|hyper-?parameters|params|settings|architecture|model|changes?|what changed|command|hypothesis"
    r"|objective|goal|motivation|description|dataset|data|date|status|branch|commit"
    r"|idea)(?: changes?)?"
)
_ENDED = re.compile(
    r"(?:key |final |training |quantitative |eval(?:uation)? |test |validation |best "
    r"|actual )?(?:results?|metrics?|outcomes?|observations?|conclusions?|analysis|findings?|verdict"
    r"|performance|scores?|takeaways?|accuracy|loss|val loss|summary|result summary|learnings)"
)
_RUN = re.compile(r"\W*(?:experiment|exp|run|trial|ablation|sweep|attempt)s?(?:[-_ #:.]|\d|$)", re.I)
_OWN_THING = frozenset({"bug", "decision", "hypothesis", "lesson", "challenge"})
_ID = re.compile(r"^\W*(?:adr|dec(?:ision)?)[-_ #]?\d", re.I)


def entity_kind(node: Node, above: Here) -> str:
    """The kind of the one record that `node` is; "" when what stands in it are records of their own."""
    if not node.level or not (node.blocks or node.children) or last_line(node) - node.lines[0] > LINES_MAX:
        return ""
    names = _names(node)
    kind = _signed(node, names, above)
    if kind:
        return kind
    if any(child.level < LABEL_LEVEL for child in node.children) or above.source.is_changelog:
        return ""
    return above.kind if node.level < LABEL_LEVEL and _is_thing(node, above, names) else ""


def _names(node: Node) -> list[str]:
    """The names of the fields right below a heading, and of its sub-headings."""
    found = [child.title for child in node.children]
    for block in node.blocks:
        if block.kind == "item" and (label := label_of(marked(block.text).text)):
            found.append(label.name)
        elif block.kind == "paragraph":
            found += [label.name for row in block.text.split("\n", 60)[:60] if (label := label_of(row.strip()))]
    return [normal(name) for name in found]


def _count(names: list[str], pattern: re.Pattern[str]) -> int:
    return sum(bool(pattern.fullmatch(name)) for name in names)


_ADR_NAME = re.compile(r"ADR[- #]?\d{1,5}\b|0\d{3}[:.]?\s", re.I)


def _signed(node: Node, names: list[str], above: Here) -> str:
    """The kind that the names of the fields are those of."""
    groups = [_count(names, pattern) for pattern in (_CONTEXT, _DECISION, _REASON)]
    subs = [normal(child.title) for child in node.children if child.level < LABEL_LEVEL]
    foreign = sum(not any(p.fullmatch(name) for p in (_CONTEXT, _DECISION, _REASON, _ADR_OTHER)) for name in subs)
    is_decision = (bool(groups[1]) and (groups[0] or groups[2])) or (
        groups[2] and (groups[0] or above.kind == "decision" or _ID.match(node.title))
    )
    if not subs and _ADR_NAME.match(node.title) and "status" in names:  # a short one without sections
        return "decision"
    if is_decision and foreign * 2 <= len(subs) and groups[1] < 2 and not (subs and node.level <= 1 and foreign):
        return "decision"
    if _is_experiment(node, names, above):
        return "experiment"
    if subs:
        return ""
    if (_count([*names, normal(node.title)], _PROBLEM) or above.kind == "bug") and (
        _count(names, _CAUSE) or _count(names, _FIX)
    ):
        return "bug"
    if _count(names, _CAUSE) and _count(names, _FIX):
        return "bug"
    if above.kind == "hypothesis" and _count(names, _PREDICTED):
        return "hypothesis"
    if (
        above.kind in ("task", "change")
        and above.status in ("done", "")
        and "files" in names
        and meaning(node.title).share < 1
    ):
        return "change" if above.status == "done" or above.kind == "change" else ""
    return ""


def _is_experiment(node: Node, names: list[str], above: Here) -> bool:
    """Whether a heading is one experiment: called so, or below experiments, with its configuration or its results."""
    if node.level > 1 and "hypothesis" in names and _count(names, _ENDED) and above.kind != "hypothesis":
        return True
    if node.level <= 1 or not (above.kind == "experiment" or _RUN.match(node.title)):
        return False
    found = _count(names, _SET_UP), _count(names, _ENDED)
    return (
        bool(found[0] and found[1])
        or (bool(_RUN.match(node.title)) and bool(sum(found)))
        or (above.kind == "experiment" and sum(found) >= 2)
    )


def _is_thing(node: Node, above: Here, names: list[str]) -> bool:
    """Whether a heading below a heading that tells a kind is a thing of that kind, and no group of such things."""
    title = node.title
    told = meaning(title)
    if told.kind and not told.is_weak and told.share >= 1.0 and not is_numbered(title):
        return False
    items = [block for block in node.blocks if block.kind == "item"]
    if (
        above.is_default
        or any(marked(item.text).is_box for item in items)
        or any(block.kind == "table" for block in node.blocks)
    ):
        return False
    if above.kind in _OWN_THING:
        return (
            is_numbered(title)
            or any(field_of(above.kind, name) for name in names)
            or len(items) < 2
            or any(block.kind != "item" for block in node.blocks[:1])
        )
    return above.kind == "task" and is_numbered(title) and not re.match(r"\W*\d{4}-", title)
