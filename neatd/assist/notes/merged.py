"""Records that a whole section makes together: the session with its git state, a test run, a machine. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from neatd.assist.notes.fields import date_of, files_of, label_of
from neatd.assist.notes.marks import marked
from neatd.assist.notes.plain import bare, cut, plain, title_of
from neatd.assist.notes.record import Draft, draft

MERGED = frozenset({"session", "test", "machine", "phase"})


class Piece(NamedTuple):
    """A piece of a section: its words without marks, all of it as written, its lines."""

    text: str
    raw: str
    lines: tuple[int, ...]


_SESSION_FACT = re.compile(
    r"^(?:git )?(?:(?:current |active |working )?branch(?:es)?|worktree|(?:last|latest|head|recent"
    r"|current|final|base) commits?(?: hash)?|commits?|head|uncommitted(?: changes| files)?"
    r"|working tree|untracked(?: files)?|modified(?: files)?"
    r"|staged(?: files)?|remote|ahead|behind|stash(?:es)?|git status|git state|git|(?:session "
    r"|handoff |work )?(?:date|time|duration|started|ended)|(?:session |handoff |work )(?:id|start|end"
    r"|number|focus|goal|type|owner)|session|sessions|last (?:updated|session|modified|worked)|updated"
    r"|(?:previous|next) agent|handoff (?:time|reason|from|to)|agent|assistant|model used"
    r"|created(?: at| on)?|generated(?: at| on)?|author|operator|from session|context usage|started at"
    r"|ended at|pr|pull request)$",
    re.I,
)
_GIT_FACT = re.compile(
    r"branch|commit|uncommitted|working tree|untracked|worktree|remote|stash|session|duration|handoff|agent", re.I
)
_MACHINE_KEYS = {
    "host": r"host(?:name)?|address|ip(?: address)?|server|ssh host",
    "port": r"(?:ssh )?port",
    "key": r"(?:ssh |identity |private )?key(?: file| path)?|identity(?: file)?",
    "gpu": r"gpus?(?: \w+)?|accelerators?|graphics(?: card)?",
    "driver": r"(?:nvidia |gpu )?drivers?(?: version)?",
    "provider": r"provider|cloud|platform|vendor|hosting",
    "memory": r"(?:system )?(?:memory|ram)",
}
_MACHINE = {name: re.compile(rf"^(?:{pattern})$", re.I) for name, pattern in _MACHINE_KEYS.items()}
_SSH = re.compile(r"^(?:\$ )?ssh\s")


def is_session_fact(name: str) -> bool:
    """Whether a field of this name tells of a session: its branch, date, commit, duration."""
    words = bare(name).split(" (")[0]
    return bool(
        _SESSION_FACT.match(words)
        or ("/" in words and all(_SESSION_FACT.match(one.strip()) for one in words.split("/")))
    )


def is_git_fact(name: str) -> bool:
    return is_session_fact(name) and bool(_GIT_FACT.search(name))


def is_machine_key(name: str) -> bool:
    return any(pattern.match(name) for pattern in _MACHINE.values())


def session(heading: str, pieces: Sequence[Piece]) -> Draft:
    """A session: its title is its heading, its start the date it names, its files those its pieces list."""
    body = "\n".join(piece.raw for piece in pieces)
    fields: dict[str, object] = {"status": "done", "started": date_of(heading)}
    files: list[str] = []
    for piece in pieces:
        label = label_of(piece.text)
        name = label.name.lower() if label else ""
        if label and re.search(r"^(?:session |handoff )?(?:date|start(?:ed)?|time)", name) and not fields["started"]:
            fields["started"] = date_of(label.value) or label.value[:60]
        if label and re.match(r"ended|end$", name):
            fields["ended"] = date_of(label.value) or label.value[:60]
        if label and re.match(r"agent|assistant|previous agent|model used", name):
            fields["assistant"] = plain(label.value)[:80]
        if label and re.search(r"uncommitted|modified|untracked|staged|files", name):
            files += _listed_files(piece.raw)
        if not fields["started"]:
            fields["started"] = (
                date_of(piece.text) if label and re.search(r"updated|created|generated|session", name) else ""
            )
    title = bare(heading) or (
        f"Session {fields['started']}" if fields["started"] else title_of(pieces[0].text if pieces else "Session")
    )
    return draft("session", cut(title), body, _lines(pieces), file=files, **fields)


def _listed_files(raw: str) -> list[str]:
    """The first file of each line."""
    found: list[str] = []
    for row in raw.split("\n", 500)[:500]:
        named = files_of(row)
        found += named[:1] if row.lstrip().startswith(("-", "*", "+", "M ", "A ", "?")) else named
    return found


def _lines(pieces: Sequence[Piece]) -> list[int]:
    return sorted({line for piece in pieces for line in piece.lines})


_PASSED = re.compile(
    r"(\d[\d,]*)(?:\s?/\s?(\d[\d,]*))?\s*(?:unit |integration )?(?:tests?|specs?|checks)?\s*(?:are "
    r"|all )?(?:pass(?:ed|ing|es)?\b|green|✅|✓)|\bpass(?:ed"
    r"|ing)?\b\W{0,6}(\d[\d,]*)(?:\s?/\s?(\d[\d,]*))?",
    re.I,
)
_FAILED = re.compile(r"(\d[\d,]*)\s*(?:tests?\s*)?(?:are\s*)?(?:fail(?:ed|ing|ures?|s)?\b|errors?\b)", re.I)
_FAILED_NAMED = re.compile(r"\bfail(?:ed|ing|ures?)\b[^\w\n]{0,6}(\d[\d,]*)", re.I)
_SKIPPED = re.compile(r"(\d[\d,]*)\s*(?:tests?\s*)?(?:skipped|ignored|xfailed)\b|\bskipped\b\W{0,4}(\d[\d,]*)", re.I)
_SECONDS = re.compile(r"\bin (\d+(?:\.\d+)?)\s?s(?:ec(?:onds?)?)?\b", re.I)
_STATE = re.compile(r"\bpass(?:ed|ing|es)?\b|\bfail(?:ed|ing|s|ures?)?\b|\bgreen\b|\bred\b|\bskipped\b", re.I)


def is_test_fact(text: str) -> bool:
    """Whether the words tell how tests ended."""
    return bool(_STATE.search(plain(text[:1000])))


def test(heading: str, pieces: Sequence[Piece]) -> Draft:
    """A test run: its command, counts and failing names."""
    body = "\n".join(piece.raw for piece in pieces)
    words = plain(body[:20000])
    passed, of = _count(_PASSED, words)
    failed = next(
        (count for pattern in (_FAILED, _FAILED_NAMED) if (count := _count(pattern, words)[0]) is not None), None
    )
    skipped, _ = _count(_SKIPPED, words)
    failing = _failing(pieces)
    says_all = re.search(
        r"\b[Aa]ll (?:\w+ )?(?:tests? )?(?:are |were )?pass|(?i:\bfail(?:ing|ed|ures?)?\W{0,4}(?:none|0)\b)"
        r"|\bno (?:test )?failures?\b|\bPASS\b(?!.*\bFAIL)",
        words,
    )
    if failed is None:
        failed = (
            of - passed
            if of is not None and passed is not None and of >= passed
            else len(failing) or (0 if says_all else None)
        )
    command = next(
        (
            one
            for one in re.findall(r"`([^`\n]{2,300})`", body[:4000])
            if (re.search(r"test|check|verify|lint|tox|nox|cargo|make|npm|go ", one) and not files_of(one))
            or " " in one
        ),
        None,
    )
    seconds = _SECONDS.search(words)
    title = title_of(pieces[0].text) if pieces else bare(heading)
    if heading and len(title) < 30:
        title = f"{bare(heading)}: {title}"
    return draft(
        "test",
        cut(title),
        body,
        _lines(pieces),
        command=command,
        passed=passed,
        failed=failed,
        skipped=skipped,
        failing=failing,
        seconds=float(seconds[1]) if seconds else None,
    )


def _count(pattern: re.Pattern[str], words: str) -> tuple[int | None, int | None]:
    """The number a pattern names, and the number it is out of."""
    found = pattern.search(words)
    if not found:
        counted = re.search(r"\bPASS\b\W{0,5}(\d[\d,]*) tests", words) if pattern is _PASSED else None
        return (int(counted[1].replace(",", "")) if counted else None), None
    groups = [int(one.replace(",", "")[:12]) if one else None for one in found.groups()]
    halves = groups[:2] if groups[0] is not None else groups[2:] or groups[1:]
    if pattern is not _PASSED:
        return next((one for one in groups if one is not None), None), None
    return halves[0], halves[1] if len(halves) > 1 else None


def _failing(pieces: Sequence[Piece]) -> list[str]:
    """Names of failing tests: what a field "Failing" lists."""
    names: list[str] = []
    for piece in pieces:
        label = label_of(piece.text)
        if label and re.match(r"(?:currently |still )?(?:failing|failed|failures)(?: tests)?$", label.name, re.I):
            rows = [label.value, *(marked(row.strip().lstrip("-*+ ")).text for row in piece.raw.split("\n")[1:])]
            for row in rows:
                names += [plain(one).strip(" .") for one in re.split(r",\s", row) if re.search(r"[A-Za-z_]{3}", one)]
    return [name for name in names if not re.match(r"(?:none|no\b|n/a|nothing)", name, re.I)][:200]


def machine(heading: str, pieces: Sequence[Piece]) -> Draft:
    """A machine: its address, port and key kept apart, since they go into no document; the rest in the body."""
    fields: dict[str, object] = {}
    left: list[str] = []
    for piece in pieces:
        rows = piece.raw.split("\n")
        for row in rows:
            label = label_of(marked(row.strip().lstrip("-*+ ").strip()).text)
            name = next((key for key, pattern in _MACHINE.items() if label and pattern.match(label.name)), "")
            if label and name and name not in fields and label.value and len(label.value) < 300:
                fields[name] = plain(label.value)
            elif row.strip() and not row.strip().startswith("```"):
                left.append(row)
    _from_ssh(fields, left)
    named = [str(fields[name]) for name in ("provider", "gpu") if name in fields]
    title = bare(heading) or "Machine"
    return draft(
        "machine", cut(f"{title}: {', '.join(named)}" if named else title), "\n".join(left), _lines(pieces), **fields
    )


def _from_ssh(fields: dict[str, object], left: Sequence[str]) -> None:
    """Host, port and key of an ssh command, where no field told them."""
    line = next((row.strip().lstrip("$ ").strip("`") for row in left if _SSH.match(row.strip().strip("`"))), "")[:500]
    for name, pattern in (("host", r"\s([\w.-]+@[\w.-]+)"), ("port", r"\s-p\s?(\d+)"), ("key", r"\s-i\s?(\S+)")):
        if name not in fields and (found := re.search(pattern, line)):
            fields[name] = found[1]


_GPU = re.compile(
    r"\b(?:A100|H100|H200|V100|RTX ?\d{4}|GTX ?\d{4}|T4|L40S?|TPU|M[1-4] (?:Max|Pro|Ultra)|VRAM|GB RAM)\b"
)


def is_machine(pieces: Sequence[Piece]) -> bool:
    """Whether the pieces describe a machine: two of its fields, the name of a GPU, or an ssh command."""
    named: set[str] = set()
    for piece in pieces:
        for row in piece.raw.split("\n", 60)[:60]:
            words = row.strip().lstrip("-*+ ").strip()
            label = label_of(words)
            if _SSH.match(words.strip("`")) or _GPU.search(words):
                return True
            if label and label.value and is_machine_key(label.name):
                named.add(label.name.lower())
    return len(named) > 1


def phase(heading: str, pieces: Sequence[Piece]) -> Draft:
    """The project's phase: the first piece names it, what stands behind the dash or in "Status" is its state."""
    first, rest = pieces[0], pieces[1:]
    words = plain(first.text)
    status = re.split(r"\s[-–—]\s", words)[-1] if re.search(r"\s[-–—]\s", words) else ""
    label = label_of(first.text)
    if label and re.match(r"(?:current |project )?(?:phase|stage)$", label.name, re.I):
        words = plain(label.value)
    title = re.sub(rf"\s[-–—]\s{re.escape(status)}$", "", words) if status else words
    stated = next((one.value for piece in rest if (one := label_of(piece.text)) and one.name.lower() == "status"), "")
    return draft(
        "phase",
        title_of(title),
        "\n".join(piece.raw for piece in pieces if piece is not first),
        _lines(pieces),
        status=status[:60] or plain(stated)[:120],
    )
