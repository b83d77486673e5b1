"""The title of a document, from its first lines. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^([=\-~^\"'`*+#:.])\1{2,}\s*$")
_NAMED = re.compile(r"^title:\s*[\"']?(.*?)[\"']?\s*$", re.I)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
LONGEST = 160


def title_of(text: str, ending: str) -> str:
    """The title: of Markdown its first heading, or `title:` in its front matter; of reStructuredText the first underlined
    line; else the first line that says something. "" for an empty file."""
    lines = _COMMENT.sub("", text).splitlines()
    found = _front_matter(lines) or (_heading(lines) if ending != ".txt" else "") or _first(lines)
    return " ".join(found.split())[:LONGEST]


def _front_matter(lines: list[str]) -> str:
    if not lines or lines[0].strip() != "---":
        return ""
    for line in lines[1:40]:
        if line.strip() == "---":
            return ""
        if named := _NAMED.match(line):
            return named[1]
    return ""


def _heading(lines: list[str]) -> str:
    is_fenced = False
    for line, below in pairwise([*lines, ""]):
        if line.lstrip().startswith(("```", "~~~")):
            is_fenced = not is_fenced
        elif not is_fenced and (found := _HEADING.match(line)):
            return found[1]
        elif not is_fenced and line.strip() and not _UNDERLINE.match(line) and _UNDERLINE.match(below):
            return line if line.strip() != "---" else ""
    return ""


def _first(lines: list[str]) -> str:
    told = (line.strip() for line in lines)
    return next((line for line in told if any(letter.isalnum() for letter in line)), "")
