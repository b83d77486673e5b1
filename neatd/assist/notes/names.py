"""What a file's name says of the words in it that no heading explains. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple


class Source(NamedTuple):
    """`kind` of what no heading explains, "" when the name does not say; whether the file instructs assistants, is kept
    in every session (so its insights are), or is a changelog."""

    kind: str = ""
    is_instructions: bool = False
    is_forever: bool = False
    is_changelog: bool = False


_INSTRUCTIONS = Source("insight", is_instructions=True, is_forever=True)
_NAMES: tuple[tuple[re.Pattern[str], Source], ...] = tuple(
    (re.compile(pattern), source)
    for pattern, source in (
        (r"(?:^|/)(?:claude|agents?|gemini|qwen|warp|crush|codex)(?:\.local|\.override)?\.(?:md|txt)$", _INSTRUCTIONS),
        (
            r"\.mdc$|\.(?:cursor|windsurf|cline|roo|goose)(?:rules|hints)(?:\.md)?$|copilot-instructions"
            r"|\.instructions\.md$",
            _INSTRUCTIONS,
        ),
        (
            r"(?:^|/)\.?(?:cursor|claude|roo|cline|windsurf)/rules?/|(?:^|/)(?:conventions|guidelines"
            r"|rules)\.md$",
            _INSTRUCTIONS,
        ),
        (
            r"change-?_?log|(?:^|/)(?:history|releases?|release[-_]notes|news|changes)\.\w+$",
            Source("change", is_changelog=True),
        ),
        (r"(?:^|/)adrs?/|(?:^|/)adr[-_]?\d|decision[-_ ]?(?:log|record|s)|(?:^|/)decisions?[./_-]", Source("decision")),
        (r"lessons?|learnings|retro(?:spective)?|post-?mortem|mistakes", Source("lesson")),
        (r"(?:^|/|[-_])(?:bugs?|known[-_]?issues?|issues)(?:[-_.]|$)", Source("bug")),
        (
            r"to-?do|roadmap|backlog|next[-_]?steps|action[-_]?items|(?:^|/|[-_])(?:tasks?|plan|checklist"
            r"|sprint\d*|milestones?)(?:[-_.]|$)",
            Source("task"),
        ),
        (r"hypothes[ie]s", Source("hypothesis")),
        (r"preferences?|(?:^|/)user[-_]?profile", Source("preference")),
        (r"style[-_]?guide|code[-_]?style|coding[-_]?standards", Source("style")),
        (
            r"progress|active[-_]?context|(?:^|/|[-_])status(?:[-_.]|$)|current[-_]?(?:state|status|task)",
            Source("assessment"),
        ),
        (
            r"project[-_]?brief|product[-_]?context|(?:^|/|[-_])(?:goals?|vision|prd|objectives?)(?:[-_.]|$)",
            Source("goal"),
        ),
        (
            r"experiment|results?|ablation|leaderboard|insights?|findings|observations|gotchas|knowledge"
            r"|research",
            Source("insight"),
        ),
        (r"(?:^|/|[-_])memory(?:[-_.]|$)|(?:^|/)memor(?:y|ies)/", Source("insight", is_forever=True)),
        (
            r"system[-_]?patterns|tech[-_]?context|architecture|design|tech[-_]?stack|overview|readme|codebase",
            Source("insight"),
        ),
    )
)


def source_of(name: str) -> Source:
    """What the path `name` says."""
    words = name.replace("\\", "/").lower()[-300:]
    found = next((source for pattern, source in _NAMES if pattern.search(words)), None)
    if found is None and "/" in words:  # the folder says less than the file, but something
        return next(
            (
                source
                for pattern, source in _NAMES[4:]
                if pattern.search(words.rsplit("/", 1)[0].rsplit("/", 1)[-1] + "/")
            ),
            Source(),
        )
    return found or Source()
