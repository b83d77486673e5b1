"""Lines of machines that share no disk: taken once each into a file that the daemon reads like any other run's.

They lie in the project of the token, in `.neat/remote/<machine>/<run>/metrics.jsonl`, which git does not see.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from neatd.errors import ConfigError
from neatd.files import REMOTE, fsync_folder, write_atomic
from neatd.pipeline.ingestbody import Body, Refusal, RefusedError, parse_body
from neatd.pipeline.ingestfile import append
from neatd.pipeline.ingestnames import parts_of
from neatd.place import PROJECT_FILE, project_identity
from neatd.read.naming import METRICS, Parts
from neatd.redact_own import patterns_of, redact_value_with
from neatd.store import ingest
from neatd.store.ingest import Sender
from neatd.store.opening import connect

CONFIG = "config.json"
MOST_RUNS = 1_000  # of one machine
LEAST_FREE = 256 << 20  # bytes that are left to others of the disk
STORE_WAIT_S = 5.0


class Taken(NamedTuple):
    """What became of a request's lines. `lines` = (1 with a config) + new + doubled + refused."""

    lines: int
    new: int
    doubled: int  # were there before, or twice in the request
    refused: tuple[Refusal, ...]
    has_config: bool
    run: str  # as `neat runs` calls it


def take(home: Path, token: str, run_name: str, body: bytes) -> Taken:
    """Take the lines of a request; they are on the disk when this returns. Raises RefusedError, with its HTTP status."""
    with closing(connect(home, wait_s=STORE_WAIT_S)) as records:
        sender = known_sender(records, token)
        found = parse_body(body)
        parts = parts_of(sender.machine, run_name)
        root = _root_of(records, sender)
        try:
            new = _keep(home, root, parts, found)
        except OSError as error:
            raise _cannot_write(error) from error
        with suppress(sqlite3.OperationalError):  # the store is busy, and this only tells when it was
            ingest.note_seen(records, sender)
    doubled = len(found.lines) - new
    name = "/".join(parts[1:])
    return Taken(found.sent, new, doubled, found.refused, found.config is not None, name)


def known_sender(records: sqlite3.Connection, token: str) -> Sender:
    """Whose token it is; raises RefusedError for one that does not hold."""
    found = ingest.sender_of(records, token) if token else None
    if found is None:
        raise RefusedError(401, "no token of this notebook", "`neat ingest add NAME` in the project makes one")
    if found.revoked_at:
        raise RefusedError(403, f"the token of {found.machine} was taken back", "`neat ingest add` makes another one")
    return found


def _root_of(records: sqlite3.Connection, sender: Sender) -> Path:
    """The project's folder; raises RefusedError when it is none any more."""
    root = Path(sender.root)
    sql = "SELECT 1 FROM root WHERE path = ? AND project_id = ?"
    is_known = records.execute(sql, (sender.root, sender.project_id)).fetchone() is not None
    try:
        is_there = is_known and (root / PROJECT_FILE).is_file() and project_identity(root)[0] == sender.project_id
    except ConfigError:
        is_there = False
    if not is_there:
        raise RefusedError(
            409,
            f"the project of {sender.machine} no longer stands in {root}",
            f"bring it back, or in its new folder: `neat ingest remove {sender.machine}`, then add it again",
        )
    return root


def _keep(home: Path, root: Path, parts: Parts, found: Body) -> int:
    if not found.lines and found.config is None:
        return 0
    if shutil.disk_usage(root).free < LEAST_FREE + 2 * sum(len(line.data) for line in found.lines):
        raise RefusedError(
            507, f"less than {LEAST_FREE >> 20} MiB are free for {root}", "free some, then send it again"
        )
    folder = made_folder(root, parts)
    if found.config is not None:
        _keep_config(root, folder / CONFIG, found.config)
    if not found.lines:
        return 0
    index = index_path(home, root, parts)
    index.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_first = not (folder / METRICS).exists()
    new = append(folder / METRICS, index, found.lines)
    if is_first:
        fsync_folder(folder)
    return new


def index_path(home: Path, root: Path, parts: Parts) -> Path:
    """Where the ids of a run are looked up. Names that differ in case only may be one file: they share it."""
    key = "\n".join((str(root), *parts)).casefold()
    return home / "ingest" / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.ids"


def made_folder(root: Path, parts: Parts) -> Path:
    """The run's folder, made where it is not there; no link is followed. Raises RefusedError for one in the way, and for
    one run too many."""
    folder = root.joinpath(*parts)
    if not (folder / METRICS).exists() and _count_runs(root.joinpath(*parts[:3])) >= MOST_RUNS:
        raise RefusedError(
            403, f"{parts[2]} has {MOST_RUNS} runs already", "send to one of them, or remove old ones' folders"
        )
    at = root
    for name in parts:
        at = at / name
        try:
            at.mkdir()
            fsync_folder(at.parent)
        except FileExistsError:
            pass
        if at.is_symlink() or not at.is_dir():
            raise RefusedError(409, f"{at} is a link or no folder", "move it away: the runs of other machines go there")
        if at == root.joinpath(*REMOTE) and not os.path.lexists(at / ".gitignore"):
            write_atomic(at / ".gitignore", b"# written by neat: what other machines sent stays out of git\n*\n")
    return folder


def _count_runs(machine: Path) -> int:
    return sum(METRICS in names for _, _, names in os.walk(machine))


def _keep_config(root: Path, path: Path, config: dict[str, Any]) -> None:
    """The parameters beside the metrics, where they are looked for; without what must not be kept."""
    clean = redact_value_with(patterns_of(root), config)
    data = json.dumps(clean, ensure_ascii=False, indent=1).encode() + b"\n"
    if path.is_symlink() or not path.is_file() or path.stat().st_size != len(data) or path.read_bytes() != data:
        write_atomic(path, data)


def _cannot_write(error: OSError) -> RefusedError:
    what = error.filename or "the run's file"
    return RefusedError(
        507, f"{what} cannot be written: {os.strerror(error.errno or 0)}", "mend that, then send it again"
    )
