"""JSON settings as people and programs write them: any content, in any formatting."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

EVENTS = ("SessionStart", "PostToolUse", "Stop", "PreToolUse")
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
HOOKS = st.fixed_dictionaries({"type": st.just("command"), "command": st.sampled_from(["make", "bd hook stop", "'"])})
GROUPS = st.fixed_dictionaries({"hooks": st.lists(HOOKS, max_size=2)}, optional={"matcher": st.just("Bash")})
SERVERS = st.dictionaries(st.sampled_from(["other", "db", ""]), VALUES, max_size=2)
DOCUMENTS = st.builds(
    lambda rest, known, back: {**rest, **known} if back else {**known, **rest},
    st.dictionaries(st.text(max_size=5).filter(lambda key: key not in ("hooks", "mcpServers")), VALUES, max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "hooks": st.dictionaries(st.sampled_from(EVENTS), st.lists(GROUPS, max_size=2), max_size=3),
            "mcpServers": SERVERS,
        },
    ),
    st.booleans(),
)  # fmt: skip
SPACES = st.sampled_from(["", "", " ", "\n", "\r\n", "\t", "\n    ", "\r\n\t", "  \n"])


def wild(value: Any, space: Callable[[], str]) -> str:
    """`value` as JSON, with what `space` gives between any two signs."""
    if isinstance(value, dict):
        inner = [f"{json.dumps(key)}{space()}:{space()}{wild(one, space)}" for key, one in value.items()]
    elif isinstance(value, list):
        inner = [wild(one, space) for one in value]
    else:
        return json.dumps(value)
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    text = f"{space()},{space()}".join(inner)
    return f"{opening}{space()}{text}{space() if inner else ''}{closing}"


@st.composite
def settings_files(draw: st.DrawFn) -> tuple[Any, bytes]:
    """(what the file says, its bytes)."""
    value = draw(DOCUMENTS)
    how = draw(st.sampled_from(["wild", "tight", "line", "2", "4", "tab", "crlf"]))
    if how == "wild":
        text = draw(SPACES) + wild(value, lambda: draw(SPACES)) + draw(SPACES)
    elif how == "tight":
        text = json.dumps(value, separators=(",", ":"))
    else:
        indents: dict[str, int | str | None] = {"line": None, "2": 2, "4": 4, "tab": "\t", "crlf": 2}
        text = json.dumps(value, indent=indents[how], ensure_ascii=draw(st.booleans()))
        text = text.replace("\n", "\r\n") if how == "crlf" else text
        text += draw(st.sampled_from(["", "\n"]))
    return value, text.encode()
