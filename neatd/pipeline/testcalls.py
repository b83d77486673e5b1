"""Test runs that an assistant started itself, as its post-tool hook tells of them: what they printed becomes a record."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path

from neatd.assist.toolcall import ToolCall
from neatd.pipeline.testing import HOOK_LOOKS_BACK_S, Kept, Outcome, keep_run, marks_of
from neatd.pipeline.testlook import own_paths_at
from neatd.place import here
from neatd.read.resultfiles import result_files
from neatd.read.testcommand import TestCommand
from neatd.read.testcounts import merge
from neatd.read.testoutput import read_output
from neatd.read.treestate import tree_state

_KEPT = re.compile(r"^test v-[0-9a-z]{6} (?:kept|was kept before): ", re.MULTILINE)  # what `neat test` says
_LONGEST = 500  # characters of a command that are kept


def keep_call(home: Path, call: ToolCall, found: TestCommand, wait_s: float) -> Kept | None:
    """Record the run; None when nothing is known of how it went, and when a `neat test` inside of it recorded it.

    Only what it printed counts.

    Raises NeatError outside of a project, StoreError for an unreadable store.
    """
    counts = merge(one for one in map(read_output, call.output) if one is not None)
    exit_code = call.exit_code if found.is_alone else None
    if any(_KEPT.search(text) for text in call.output):
        return None
    if counts is None and exit_code is None and not call.is_interrupted:
        return None
    place = here(_folder(call, found))
    recent = [file for file in result_files(place.root) if time.time() - file.written_at < HOOK_LOOKS_BACK_S]
    marks = marks_of(place.root, recent, counts)[0] if counts else ()
    token = (f"{call.source}#call:{call.call_id}",) if call.call_id else ()
    line = call.command if isinstance(call.command, str) else shlex.join(call.command)
    outcome = Outcome(
        line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…",
        counts, exit_code, None, tree_state(place.root, own_paths_at(place.root)), call.is_interrupted, (*token, *marks),
    )  # fmt: skip
    return keep_run(home, place, outcome, call.source, wait_s)


def _folder(call: ToolCall, found: TestCommand) -> Path:
    """Where the tests ran: `cd` before them may have led away, and the assistant may say so already."""
    base = Path(call.cwd or ".")
    target = base / Path(found.folder).expanduser() if found.folder else base
    return target if target.is_dir() else base
