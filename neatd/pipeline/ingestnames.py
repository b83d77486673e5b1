"""Names of machines and runs, as folders that the walk finds and takes for one run each. Pure.

A name is refused rather than changed: two names must not become one folder.
"""

from __future__ import annotations

import unicodedata

from neatd.errors import NeatError
from neatd.files import IGNORED_FOLDERS, REMOTE
from neatd.pipeline.ingestbody import RefusedError
from neatd.read.naming import METRICS, Parts, is_barren, named
from neatd.read.placing import Held, place
from neatd.read.runnames import folder_part

MOST_PARTS = 3  # of a run's name
LONGEST = 100  # bytes of one part
MOST_SHOWN = 60
_HINT = "letters, digits, - and _ always fit"
_FULL = Held(has_metrics=True, has_more=True, has_config=True, has_checkpoints=True)


def check_machine(name: str) -> None:
    """Raises NeatError for a name that cannot be a machine's."""
    wrong = _wrong_part(name)
    if wrong:
        raise NeatError(f"a machine cannot be called {_shown(name)}: {wrong}", _HINT)


def parts_of(machine: str, run: str) -> Parts:
    """The folder of a machine's run, named from the project's down. Raises RefusedError for a name that cannot be a run's."""
    own = tuple(run.split("/")) if len(run) <= MOST_PARTS * (LONGEST + 1) else ()
    if not 0 < len(own) <= MOST_PARTS:
        raise _refused(run, f"up to {MOST_PARTS} parts of up to {LONGEST} bytes are taken, with / between")
    parts = (*REMOTE, machine, *own)
    wrong = next((wrong for one in own if (wrong := _wrong_part(one))), "")
    if not wrong and not is_own_run(parts):
        wrong = "trackers call a part of a run so"
    if wrong:
        raise _refused(run, wrong)
    return parts


def is_own_run(parts: Parts) -> bool:
    """Whether metrics in that folder are a run of their own, whatever lies around."""
    if any(is_barren(parts[:n]) for n in range(1, len(parts) + 1)):
        return False
    found = named(parts, METRICS)
    return bool(found and found.formats == ("jsonl",)) and place(parts, METRICS, "jsonl", lambda _: _FULL).run == parts


def _wrong_part(name: str) -> str:
    if not name or folder_part(name) != name or not name.isprintable():
        return "it has to be a folder's name on any system, without a dot or space at its ends"
    if len(name.encode("utf-8", "replace")) > LONGEST:
        return f"longer than {LONGEST} bytes"
    if unicodedata.normalize("NFC", name) != name:
        return "its letters are composed otherwise than usual (not NFC)"
    return "folders of that name are not looked into" if name in IGNORED_FOLDERS else ""


def _refused(run: str, wrong: str) -> RefusedError:
    return RefusedError(400, f"a run cannot be called {_shown(run)}: {wrong}", _HINT)


def _shown(name: str) -> str:
    return ascii(name if len(name) <= MOST_SHOWN else name[:MOST_SHOWN] + "…")
