"""Which kind a piece of text is of: what its section says, unless its own marks, name or words say it better. Pure."""

from __future__ import annotations

import re

from neatd.assist.notes.apart import is_dated_run, is_to_do
from neatd.assist.notes.context import Here
from neatd.assist.notes.fields import Label, files_of, metric_in
from neatd.assist.notes.marks import Marked
from neatd.assist.notes.merged import is_git_fact, is_session_fact, is_test_fact
from neatd.assist.notes.plain import plain
from neatd.assist.notes.sections import meaning
from neatd.assist.notes.shell import is_command

_NOTHING = re.compile(
    r"^\W*(?:none\b(?! of)|n/?a\b|nothing\b(?=.{0,40}$)|no (?:blockers?|issues?|changes?|known \w+"
    r"|failures?|files?|open \w+|risks?|new \w+|pending \w+|uncommitted \w+|bugs?|questions?"
    r"|decisions?)\b(?=.{0,60}$)|tbd\b|_?none yet)",
    re.I,
)
_IMPERATIVE = re.compile(
    r"^\W*(?:(?:please|then|first|also|if [^,\n]{1,80},|when [^,\n]{1,80},|before [^,\n]{1,60},"
    r"|after [^,\n]{1,60},|for [^,\n]{1,60},)\s+)?(?:always|never|do not|don[’']?t|must|should|avoid"
    r"|prefer|use|ensure|make sure|keep|run|write|add|follow|check|read|put|place|name|create|update"
    r"|include|remove|delete|test"
    r"|verify|validate|commit|ask|stop|start|begin|only|no|treat|handle|log|document|consider|remember"
    r"|respect|maintain|limit|favou?r|leave|let|mark|move|return|set|call|pass|throw|raise|catch"
    r"|import|export|define|implement|refactor|reuse|apply|assume|explain|provide|report|review|answer"
    r"|respond"
    r"|be |think|plan|break|focus|minimi[sz]e|work|stick|wrap|format|lint|fix|push|pull|merge|rebase"
    r"|branch|open|close|tag|bump|install|pin|cover|mock|stub|store|save|load|cache|restart|rebuild"
    r"|regenerate|re-?run|skip|exclude|ignore|it is (?:important|critical|required)|you (?:must|should"
    r"|may|can|are)|all .{3,60} (?:must|should)|every .{3,60} (?:must|should)|tests? (?:must|should)"
    r"|code (?:must|should)|whenever|unless|in general)\b",
    re.I,
)
_STRICT = re.compile(r"^\W*(?:always|never|do not|don[’']?t|must|avoid)\b", re.I)
_META = re.compile(
    r"^(?:version|authors?|owners?|maintainers?|date|last (?:updated|modified|reviewed|review)|updated"
    r"|created|project|project name|repository|repo|license|document (?:status|version|owner)"
    r"|depends on|doc(?:ument)? id|reviewers?|next review|category|type|title|name|description|tags"
    r"|priority)$",
    re.I,
)
_OPEN = frozenset({"", "assessment", "session"})
_KEEP_BOX = frozenset({"bug", "goal", "hypothesis"})
_OF_FILE = re.compile(
    r"^\W*(?:this (?:file|document|log|page|folder|directory|list|journal|notebook)\b|use this\b"
    r"|all notable changes|each (?:entry|student|day)|document (?:all|key|issues)|append-only"
    r"|keep (?:a|this)|log agent|a (?:lightweight|living|running|simple)\b|tracks?\b|collection of"
    r"|patterns and corrections|notes on past)",
    re.I,
)
_OF_FILE_NAME = re.compile(
    r"^(?:purpose|instructions?|about|format|usage|how to use|scope|audience|when to (?:create|update)"
    r"|update frequency|output location)\b",
    re.I,
)
_PLACEHOLDER = re.compile(
    r"^[*_]?(?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\](?!\()|\{[^{}]*\}+|<[^<>]*>)[*_]?[.]?$"
)  # "[List what works]"
_FILES = re.compile(
    r"^(?:new |key )?files?(?: \w+)?[ /](?:modified|changed|created|edited|added|touched|updated|deleted)(?:[ /]\w+)?$",
    re.I,
)
_THINGS = frozenset(
    {
        "change",
        "bug",
        "challenge",
        "task",
        "decision",
        "document",
        "hypothesis",
        "data",
        "lesson",
        "service",
        "experiment",
        "insight",
    }
)
_CODE = re.compile(r"`([^`\n]{1,500})`")
_RUN_PLACES = frozenset({"", "note", "session", "insight", "assessment", "experiment"})
_URL = re.compile(r"^\W*(?:`|\*|<)*https?://\S+?(?:`|>)?$")


def kind_of(mark: Marked, label: Label | None, here: Here, is_list: bool) -> str:
    """The kind of a piece; "meta" for what tells of the file itself, "none" for "there is none"."""
    words = plain(mark.text[:400])
    if (_NOTHING.match(words) and len(words) < 100 and here.kind in _THINGS) or (
        label
        and len(label.value) < 60
        and _NOTHING.match(label.value)
        and here.kind in ("data", "change", "", "assessment", "session")
        and not is_session_fact(label.name)
    ):
        return "none"
    if mark.is_box and here.kind not in _KEEP_BOX:
        return "preference" if here.source.is_instructions and here.kind not in ("task", "assessment") else "task"
    if not is_list and (own := _of_line(mark.text, here)):
        return own
    if mark.sign and mark.status and is_list and here.kind in ("assessment", "phase"):
        return "task"
    if re.match(r"^@[\w./~-]{2,200}$|^(?:read|see|load|import)[: ]+(?:`?@|\[)", words, re.I) and here.kind in (
        "preference",
        "insight",
        "document",
        "",
        "assessment",
        "command",
        "style",
    ):
        return "document"
    if _PLACEHOLDER.match(words):
        return "note"
    if label and _FILES.match(label.name) and here.kind in ("task", "session", "", "assessment"):
        return "change"
    if (
        here.level <= 1
        and not is_list
        and here.kind in (*_THINGS, "")
        and not here.source.is_instructions
        and (_OF_FILE.match(words) or (label and (_OF_FILE_NAME.match(label.name) or _META.match(label.name))))
    ):
        return "meta"
    if (here.kind in _OPEN or here.is_default) and label and (own := _named(label, here)):
        return own
    return _in_section(mark, label, here, words)


def _of_line(text: str, here: Here) -> str:
    """The kind of a line that says it by itself: a mark to do, a run on a day."""
    if here.source.is_changelog:
        return ""
    if is_to_do(text):
        return "task"
    return "experiment" if here.kind in _RUN_PLACES and "\n" not in text and is_dated_run(text) else ""


def _named(label: Label, here: Here) -> str:
    """The kind that a field's name tells where the section leaves it open."""
    if here.source.is_changelog:
        return ""
    name = label.name.strip()
    if re.fullmatch(r"(?:issue|ticket|bug|task|pr|pull request|feature)(?: id)?", name, re.I) and re.fullmatch(
        r"\W*(?:#?\d{1,8}|[A-Z]{2,10}-\d{1,6}|https?://\S+)\W*", label.value
    ):
        return "meta"
    if is_git_fact(name) or (is_session_fact(name) and here.kind == "session"):
        return "session"
    if (_META.match(name) and here.kind in ("", "session", "assessment")) or is_session_fact(name):
        return "meta"
    told = meaning(name)
    if re.match(r"(?:purpose|instructions?|about|format|usage|how to use)\b", name, re.I) and here.kind in _THINGS:
        return "meta"
    if (
        told.kind
        in ("test", "machine", "phase", "session", "insight", "assessment", "change", "experiment", "data", "service")
        or told.is_weak
        or told.share < 1.0
    ):
        is_phase = re.fullmatch(r"(?:current |project )phase", name, re.I)
        if (
            re.search(r"\b(?:tests?|verification|ci)\b", name, re.I)
            and is_test_fact(label.value)
            and re.search(r"\d", label.value)
        ):
            return "test"
        return (
            "phase" if is_phase and label.value else "test" if told.kind == "test" and is_test_fact(label.value) else ""
        )
    if told.kind == "style" or (told.kind == "task" and told.status == "done" and len(label.value) < 3):
        return ""
    return told.kind if label.value or told.kind not in ("document",) else ""


def _in_section(mark: Marked, label: Label | None, here: Here, words: str) -> str:
    """The section's kind, where the words fit it."""
    kind = here.kind
    code = _CODE.search(mark.text[:1200])
    starts = code is not None and not re.search(r"\w", mark.text[: code.start()])
    if kind == "command":
        return _in_commands(mark, label, here, words)
    if kind == "test" and is_test_fact(mark.text):
        return "test"
    if (
        code
        and is_command(code[1])
        and (here.is_default or (kind in ("", "test", "document", "preference") and not _IMPERATIVE.match(words)))
        and (starts or (label and label.value.startswith("`")))
    ):
        return "command"
    if kind == "document":
        return (
            "document"
            if files_of(mark.text) or "](" in mark.text or "http" in mark.text or "@" in mark.text or "[[" in mark.text
            else default_kind(here, words)
        )
    if kind == "experiment":
        return (
            "experiment"
            if metric_in(mark.text)
            or re.search(r"queue|planned", f"{here.told} {here.about}", re.I)
            or (label and label.is_bold and is_run_name(label.name))
            else "insight"
        )
    if kind == "test":
        return (
            "test"
            if is_test_fact(mark.text) or (re.search(r"test", words, re.I) and not here.source.is_instructions)
            else default_kind(here, words)
        )
    if here.is_default or not kind:
        return default_kind(here, words)
    if here.source.is_instructions and kind in ("insight", "bug", "challenge") and _STRICT.match(words):
        return "preference"
    return kind


def _in_commands(mark: Marked, label: Label | None, here: Here, words: str) -> str:
    """In a section of commands: a command in backticks, a service's address, else a rule or what is worth knowing."""
    if any(is_command(one, True) for one in _CODE.findall(mark.text[:2000])[:8]) or (
        is_command(words) and not _IMPERATIVE.match(words)
    ):
        return "command"
    if _URL.match(label.value if label else mark.text) or re.search(
        r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)", mark.text[:400]
    ):
        return "service"
    return "preference" if here.source.is_instructions and _IMPERATIVE.match(words) else "insight"


def default_kind(here: Here, words: str) -> str:
    """The kind where no heading tells: what the file's name says; in a file for assistants a rule or an insight."""
    if here.source.is_instructions:
        return "preference" if _IMPERATIVE.match(words) else "insight"
    return here.source.kind or ("assessment" if here.kind in ("test", "document", "session") else "note")


def is_run_name(name: str) -> bool:
    """Whether a name may be that of a run: it has a digit or an underscore, or is a baseline."""
    return bool(re.search(r"\d|_|baseline", name)) and len(name) <= 60
