"""Shell text to commands: one that runs over several lines stays whole, a comment above says what it is for. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from neatd.assist.notes.programs import ENGLISH, LANGUAGES, PROGRAMS

_FIRST = re.compile(
    r"^(?:\$ |> |% |❯ |PS> |\+ )?(?:sudo |time |nohup |env )?(?:[A-Z_][A-Z0-9_]*=(?:\"[^\"]{0,200}\""
    r"|'[^']{0,200}'|[^\s\"']{0,200})\s+){0,8}([\w./~@+-]{1,120})"
)
_PROMPT = re.compile(
    r"^(?:\([\w.-]{1,30}\)[ ]?)?(?:\$|❯|PS [^>\n]{0,60}>|[\w.-]{1,30}@[\w.-]{1,60}:[^$#\n]{0,80}[$#])[ ]"
)
_ASIDE = re.compile(r"^(.*?\S)[ \t]{1,80}#[ \t]{0,4}(\S.*)$")
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w{1,40})['\"]?")
_BLOCK = re.compile(r"^(?:for|while|if|until|case|function)\b|\(\)\s*\{\s*$")
_BLOCK_END = re.compile(r"(?:^|;\s*)(?:done|fi|esac|\})\s*(?:[|>&<].*)?$")
_ASSIGNED = re.compile(r"^(?:export |set )?[A-Za-z_]\w{0,60}=[^\s;&|]*$")
_GIT_STATUS = re.compile(
    r"^(?:[MADRCU?!]{1,2}\s+\S|(?:modified|new file|deleted|renamed):\s|On branch |Your branch "
    r"|nothing to commit|Changes |Untracked files)"
)
_ROWS_MAX = 400  # a longer listing is a script, not commands to run


class Command(NamedTuple):
    """A command: its line, the whole text when it has more lines, what it is for; rows (from 0) it stands on, the
    comment's among them."""

    line: str
    text: str
    about: str
    rows: tuple[int, ...]


def is_command(text: str, is_expected: bool = False) -> bool:
    """Whether `text` is a command line. Where commands are expected an unknown program will do."""
    text = text.strip()
    first = _FIRST.match(text)
    if not first or len(text) > 2000 or text.endswith(":") or (text.endswith("/") and " " not in text):
        return False
    program = first[1]
    if program in PROGRAMS:
        return " " in text or program not in ENGLISH
    if program.startswith(("./", "~/", "/", "../")) and (program.endswith((".sh", ".py")) or " " in text):
        return True
    if program.endswith((".sh", ".exe", ".bat")):
        return True
    if _PROMPT.match(text) or (text.startswith("/") and is_expected and " " not in text and "." not in text):
        return True
    return is_expected and " -" in text and bool(re.match(r"[a-z][\w.-]*$", program))


def is_shell(language: str, text: str) -> bool:
    """Whether a fence holds commands: its language says so, or most of its lines are some."""
    name = language.lower().split()[0].strip("{}.,") if language.strip() else ""
    if name and name not in LANGUAGES:
        return False
    rows = [row.strip() for row in text.split("\n", 200)[:200] if row.strip()]
    rows = [row for row in rows if not row.startswith("#")]
    if name:
        return sum(bool(_GIT_STATUS.match(row)) for row in rows) * 2 <= len(rows) or not rows
    hits = sum(is_command(row) for row in rows)
    return bool(rows) and is_command(rows[0]) and hits * 2 >= len(rows)


def commands(text: str) -> list[Command]:
    """The commands in shell text; rows that are output of a command with a prompt stay with it."""
    rows = text.split("\n")
    if len(rows) > _ROWS_MAX:
        first = next((row.strip() for row in rows if row.strip() and not row.startswith("#")), rows[0])
        return [Command(first, text, "", tuple(range(len(rows))))]
    if any(_PROMPT.match(row) for row in rows):
        return _prompted(rows)
    return _listed(rows)


def _prompted(rows: list[str]) -> list[Command]:
    """Commands behind a prompt, each with the output below it."""
    found: list[tuple[list[int], list[str]]] = []
    for at, row in enumerate(rows):
        if _PROMPT.match(row) or not found:
            found.append(([at], [row]))
        else:
            found[-1][0].append(at)
            found[-1][1].append(row)
    out = []
    for numbers, texts in found:
        line, about = _aside(_PROMPT.sub("", texts[0]).strip())
        out.append(Command(line, "\n".join(texts) if len(texts) > 1 else line, about, tuple(numbers)))
    return out


def _listed(rows: list[str]) -> list[Command]:
    """One command a row, or as many rows as its quotes, heredoc, loop or line ends ask for."""
    found: list[Command] = []
    comments: list[tuple[int, str]] = []
    at, may_span = 0, True
    while at < len(rows):
        row = rows[at].strip()
        if not row:
            if comments and at + 1 < len(rows) and rows[at + 1].strip().startswith("#"):
                comments = comments[-3:]
        elif row.startswith(("#", "::", "REM ", "rem ")) and not row.startswith("#!"):
            comments.append((at, row.lstrip("#:= -").strip().rstrip("= -")))
        else:
            end = _end(rows, at) if may_span else at + 1
            may_span = may_span and end > 0
            end = end or at + 1
            found.append(_command(rows, at, end, comments))
            comments = []
            at = end - 1
        at += 1
    return _with_rest(found, comments)


def _with_rest(found: list[Command], comments: list[tuple[int, str]]) -> list[Command]:
    """Comments below the last command belong to it; comments alone are no command."""
    if found and comments:
        last = found[-1]
        text = "\n".join([last.text, *(f"# {words}" for _, words in comments)])
        found[-1] = last._replace(text=text, rows=(*last.rows, *(row for row, _ in comments)))
    return found


def _command(rows: list[str], at: int, end: int, comments: list[tuple[int, str]]) -> Command:
    text = "\n".join(row.rstrip() for row in rows[at:end]).strip()
    line, about = (text, "") if end - at > 1 else _aside(text)
    above = " ".join(words for _, words in comments if words)
    numbers = (*(row for row, _ in comments), *range(at, end))
    first = next((row for row in line.split("\n") if not _ASSIGNED.match(row.strip())), line.split("\n")[0])
    return Command(
        first.strip().rstrip(" \\"),
        text if end - at > 1 else line,
        f"{above}: {about}" if above and about else above or about,
        numbers,
    )


def _aside(line: str) -> tuple[str, str]:
    """(command, the comment behind it); a # in quotes is none."""
    found = _ASIDE.match(line[:1000])
    if not found or len(line) > 1000 or found[1].count('"') % 2 or found[1].count("'") % 2:
        return line, ""
    return found[1], found[2]


def _end(rows: list[str], at: int) -> int:
    """The row after the command that begins here; 0 when its quotes are never closed."""
    row = rows[at].strip()
    if heredoc := _HEREDOC.search(row):
        return next((end + 1 for end in range(at + 1, len(rows)) if rows[end].strip() == heredoc[1]), 0)
    if _BLOCK.search(row) and not _BLOCK_END.search(row):
        return next((end + 1 for end in range(at + 1, len(rows)) if _BLOCK_END.search(rows[end].strip())), 0)
    while _ASSIGNED.match(rows[at].strip()) and at + 1 < len(rows) and rows[at + 1].strip():
        at += 1  # a variable that is set belongs to the command below
    quote = ""
    for end in range(at, len(rows)):
        quote = _quote_after(rows[end], quote)
        if not quote and not rows[end].rstrip().endswith(("\\", "&&", "||", "|", "`", "^")):
            return end + 1
        if not quote and end + 1 < len(rows) and not rows[end + 1].strip():
            return end + 1
    return len(rows) if not quote else 0


def _quote_after(row: str, quote: str) -> str:
    """The quote that is open at the end of a row."""
    skip = False
    for at, char in enumerate(row):
        if skip:
            skip = False
        elif char == "\\" and quote != "'":
            skip = True
        elif quote:
            quote = "" if char == quote else quote
        elif char == "#" and (at == 0 or row[at - 1] in " \t"):
            break
        elif char in "\"'" and not (char == "'" and at and row[at - 1].isalnum() and row[at + 1 : at + 2].isalnum()):
            quote = char
    return quote
