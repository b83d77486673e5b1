"""The identity of a record within its file, kept over edits: kind, section, title. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from neatd.assist.notes.plain import slug
from neatd.assist.notes.record import Parsed

_SAME = 0.6  # of two titles in one section: "run the baseline" and "run the baseline (15 epochs)" are 0.7
_MOVED = 0.9  # of two titles in different sections: a task that went from "pending" to "completed"
_PAIRS_MAX = 20_000  # comparisons for one file; a file with more changes is compared by exact titles only
_PARENS = re.compile(r"\s*\([^()]*\)")


def section_slug(section: str, top: str) -> str:
    """A section's name without the file's own title (which has a date in a handoff) and without counts in parentheses."""
    names = section.split(" / ")
    if top and names[0] == top:
        names = names[1:]
    return "/".join(slug(_PARENS.sub("", name) or name, 60) for name in names)[:200]


def keyed(kind: str, section: str, title: str, seen: Counter[str]) -> str:
    """The key of a record; the second of the same kind, section and title ends in ~2."""
    base = f"{kind}|{section}|{slug(title)}"
    seen[base] += 1
    return base if seen[base] == 1 else f"{base}~{seen[base]}"


def top_heading(headings: Iterable[str]) -> str:
    """The heading that everything in the file stands under; "" when there are several."""
    tops = {section.split(" / ")[0] for section in headings if section}
    return tops.pop() if len(tops) == 1 else ""


def match_edited(old: Sequence[tuple[str, str, str]], new: Sequence[Parsed]) -> dict[str, str]:
    """New key -> the old key it is an edited version of, among those that have no exact partner. `old` are (key, kind,
    title). First the same kind and section by similar titles, then the same kind anywhere by nearly the same title."""
    now, then = {one.key for one in new}, {key for key, _, _ in old}
    gone = [(key, kind, title) for key, kind, title in old if key not in now]
    come = [one for one in new if one.key not in then]
    found: dict[str, str] = {}
    for threshold, is_near in ((_SAME, True), (_MOVED, False)):
        taken = set(found.values())
        pairs = _similar(
            [one for one in gone if one[0] not in taken],
            [one for one in come if one.key not in found],
            threshold,
            is_near,
        )
        for _, fresh, stale in sorted(pairs, reverse=True):
            if fresh not in found and stale not in taken:
                found[fresh] = stale
                taken.add(stale)
    return found


def _similar(
    gone: Sequence[tuple[str, str, str]], come: Sequence[Parsed], threshold: float, is_near: bool
) -> list[tuple[float, str, str]]:
    """(likeness, new key, old key) of the pairs above the threshold."""
    places: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for key, kind, title in gone:
        places.setdefault((kind, key.split("|")[1] if is_near and key.count("|") >= 2 else ""), []).append(
            (key, title.lower())
        )
    found: list[tuple[float, str, str]] = []
    budget = _PAIRS_MAX
    for one in come:
        title = str(one.fields.get("title", "")).lower()
        matcher = SequenceMatcher(None, "", title, autojunk=False)
        for key, before in places.get((one.kind, one.key.split("|")[1] if is_near else ""), ()):
            budget -= 1
            if budget < 0:
                return found
            matcher.set_seq1(before)
            if (
                matcher.real_quick_ratio() >= threshold
                and matcher.quick_ratio() >= threshold
                and (like := matcher.ratio()) >= threshold
            ):
                found.append((like, one.key, key))
    return found
