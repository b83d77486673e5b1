"""What a tool call says of files and commits, in the shapes of each assistant."""

from __future__ import annotations

from typing import Any

import pytest

from neatd.assist.toolcall import ToolCall, commits_told, edited_files, may_commit, shell_call
from tests.cost import at_most

EDITS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "Edit": ({"tool_name": "Edit", "tool_input": {"file_path": "a", "old_string": "x", "new_string": "y"}}, ("a",)),
    "Write": ({"tool_name": "Write", "tool_input": {"file_path": " a ", "content": "*** Add File: b"}}, ("a",)),
    "MultiEdit": ({"tool_name": "MultiEdit", "tool_input": {"file_path": "a", "edits": [{"old_string": "x"}]}}, ("a",)),
    "NotebookEdit": ({"tool_name": "NotebookEdit", "tool_input": {"notebook_path": "n.ipynb"}}, ("n.ipynb",)),
    "apply_patch": (
        {"tool_name": "apply_patch", "tool_input": {"command": "*** Begin Patch\n*** Add File: a b\n+x\n*** Delete File: c\n"}},
        ("a b", "c"),
    ),
    "a patch that moves": (
        {"tool_name": "apply_patch", "tool_input": {"input": "*** Update File: a\n*** Move to: b\n*** Update File: a\n"}},
        ("a", "b"),
    ),
    "Cursor's event": ({"file_path": "/p/a", "edits": [{"old_string": "x", "new_string": "y"}]}, ("/p/a",)),
    "Read": ({"tool_name": "Read", "tool_input": {"file_path": "a"}}, ()),
    "Bash": ({"tool_name": "Bash", "tool_input": {"command": "*** Add File: a"}}, ()),
    "no input": ({"tool_name": "Edit"}, ()),
    "other types": ({"tool_name": "Edit", "tool_input": {"file_path": 7, "path": None, "command": ["x"]}}, ()),
    "no name": ({"tool_input": {"file_path": "a"}}, ()),
    "blank": ({"tool_name": "Edit", "tool_input": {"file_path": "  "}}, ()),
}  # fmt: skip


@pytest.mark.parametrize(("payload", "files"), EDITS.values(), ids=EDITS)
def test_edited_files_are_named(payload: dict[str, Any], files: tuple[str, ...]) -> None:
    """As the tool names them."""
    assert edited_files(payload) == files


def call(command: str | tuple[str, ...], *output: str) -> ToolCall:
    return ToolCall(command, "", output, 0, False, "claude-code", "")


PRINTED = {
    "[main abc1234] one\n 1 file changed": ("abc1234",),
    "[main (root-commit) abc1234] one": ("abc1234",),
    "[detached HEAD abc1234] one": ("abc1234",),
    "[feat/a-b.c 0123456789abcdef0123456789abcdef01234567] one": ("0123456789abcdef0123456789abcdef01234567",),
    "hook said\n[main abc1234] one\n[main def5678] two\n[main abc1234] one": ("abc1234", "def5678"),
    "abc1234 one": (), "[main] abc1234": (), "x [main abc1234] one": (), "[main abc123] short": (), "[1/3] building": (),
    "": (),
}  # fmt: skip


@pytest.mark.parametrize(("output", "commits"), PRINTED.items(), ids=[repr(one)[:30] for one in PRINTED])
def test_commits_are_read_off_what_git_printed(output: str, commits: tuple[str, ...]) -> None:
    """On any of the streams."""
    assert commits_told(call("git commit", "", output)) == commits


@pytest.mark.parametrize(
    ("command", "may"),
    [("git commit -qm x", True), ("git -C x commit", True), ("cd a && git  commit", True), (("git", "commit"), True),
     ("git merge x", True), ("git -c user.name=x commit --amend", True), ("git cherry-pick x", True),
     ("git log; echo commit", False), ("git status", False), ("echo git; commit", False), ("gitk commit", False), ("", False)],
)  # fmt: skip
def test_commands_that_make_commits_are_known(command: str | tuple[str, ...], may: bool) -> None:
    """By git's own words for it."""
    assert may_commit(call(command)) == may


def test_a_long_output_is_read_in_no_time() -> None:
    """Whatever it holds."""
    texts = ("[" * 1_000_000, "[main " * 200_000, "[a]\n" * 300_000, "git " * 300_000, "*** Add File: \n" * 70_000)
    with at_most(5):
        for text in texts:
            commits_told(call(text, text))
            may_commit(call(text))
            edited_files({"tool_name": "apply_patch", "tool_input": {"command": text}})


def test_cursors_shell_is_a_shell() -> None:
    """Its answer is JSON in a text."""
    payload = {
        "cursor_version": "1", "hook_event_name": "postToolUse", "tool_name": "Shell", "tool_input": {"command": "pytest"},
        "tool_output": '{"stdout": "3 passed in 1s", "exitCode": 0}', "workspace_roots": ["/p"],
    }  # fmt: skip
    found = shell_call(payload, "claude-code")
    assert found is not None and (found.output, found.exit_code, found.source) == (("3 passed in 1s",), 0, "cursor")
