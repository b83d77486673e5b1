"""How a log ends: with a traceback, or with a line that says that the training is done. Pure.

Kept in the parser's memory: `in_traceback` is what stands before each line of the traceback that goes on, `traceback` is the
last line of one that ended, `done` is a last line that says the training ended well. A row clears the last two. None of them
depends on where the log was cut into feeds.
"""

from __future__ import annotations

import re

from neatd.read.formats.logsteps import Memory
from neatd.redact import redact

LONGEST = 200  # characters that are kept of a last line
_LONGEST_SEEN = 2000  # characters of it that are looked at
HEADER = b"traceback (most recent"  # as it is searched for, in lower case
_HEADER = re.compile(r"^(.{0,60}?)Traceback \(most recent call last\):$")
_GROUP, _IN_GROUP = "  + Exception Group ", "  | "
_SURE = re.compile(r"^(?:[A-Za-z_]\w*\.)*\w*(?:Error|Exception|Interrupt|Exit|ExceptionGroup)(?::.*| \(.*)?$")
_NAMED = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?::.*)?$")  # TrialPruned, queue.Empty: an own kind of exception
_PIECES = re.compile(rb"[\r\n\x08]|(?:it/s|s/it)[^\]]{0,500}\]")  # where a piece of a log ends
_LONGEST_DONE = 160  # bytes of a line that says it
_WINDOW = 1024  # bytes at the end that its last line is looked for in
# A line of a log's head (a time, a level, a logger) may stand before what names the training, not before a bare "done":
# "evaluation: done" and "INFO: done" are no end of a run.
_DONE = re.compile(
    r"(?i)^(?:\W{0,8}|(?=[\[(]?(?:\d|INFO|DEBUG|NOTICE)).{0,90}?[\s\]:|>-]\s*"
    r"(?=training|fine-?tuning|pre-?training|finished t))"
    r"(?:all\s|everything\s(?:is\s)?|(?:the\s)?(?:model\s)?(?:training|fine-?tuning|pre-?training|experiment|run|job)"
    r"\s(?:(?:loop|run|process)\s)?(?:(?:is|was|has|has been)\s)?)?(?:now\s|successfully\s)?"
    r"(?:done|finished|completed?)\b(?:\straining)?(?:\ssuccessfully)?(?:\s(?:in|after|at)\s.{0,100}|\s?[.!,;:(—-].{0,100})?\W{0,8}$"
)
_NOT_DONE = re.compile(r"(?i)\b(?:fail\w*|errors?|abort\w*|not|0%|epoch \d|step \d|iter\w* \d)\b")


def follow(line: str, memory: Memory) -> bool:
    """Bring a traceback forward by a line of text. True when the line is a part of one, and nothing else."""
    header = _HEADER.match(line) if "Traceback (" in line else None
    if header:
        before = header[1]
        memory["in_traceback"] = _IN_GROUP if before == _GROUP else before if before.strip() else ""
        return True
    before = memory.get("in_traceback")
    if before is None or not line.startswith(before):
        return False  # of several processes that write into one log, another one wrote this
    text = line[len(before) :]
    if not text or text[0] in " \t":
        return True
    del memory["in_traceback"]
    is_sure = _SURE.match(text) is not None
    if is_sure or _NAMED.match(text):
        memory["traceback"] = redact(text[:_LONGEST_SEEN])[:LONGEST]
    return is_sure  # an own kind of exception may be a row that came in between: it is read too, and clears this


def clear(memory: Memory) -> None:
    """A row came: the training went on."""
    memory.pop("traceback", None)


def note_last_line(data: bytes, memory: Memory) -> None:
    """Keep whether the last line in `data`, which holds whole lines, says that the training is done. Blanks say nothing."""
    end = data[-_WINDOW:] if data[-_WINDOW:].strip() else data.rstrip()[-_WINDOW:]
    pieces = _PIECES.split(end)
    place = next((n for n in range(len(pieces) - 1, -1, -1) if pieces[n].strip()), None)
    if place is None:
        return
    text = pieces[place].decode("utf-8", "replace").strip()
    is_whole = place > 0 or len(end) < _WINDOW
    if is_whole and says_done(text):
        memory["done"] = redact(text)[:LONGEST]
        memory.pop("traceback", None)
    else:
        memory.pop("done", None)


def says_done(text: str) -> bool:
    """Whether a line says that the training ended well."""
    return len(text.encode()) <= _LONGEST_DONE and bool(_DONE.match(text)) and not _NOT_DONE.search(text)
