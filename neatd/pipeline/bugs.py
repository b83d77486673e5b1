"""Records of bugs that the daemon writes: one for each run and cause, whatever happens between."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from neatd.pipeline.scene import Scene
from neatd.place import Place
from neatd.store import links
from neatd.store.connection import transaction
from neatd.store.short import LETTERS, base32, ensure_project, insert_record, record_row


def keep_bug(scene: Scene, place: Place, run_id: str, cause: str, fields: Mapping[str, object]) -> tuple[str, bool]:
    """(id, whether it is new) of the record of a run's `cause`; the id follows from both, and empty fields are left out."""
    row = record_row("bug", place, {name: value for name, value in fields.items() if value}, "daemon")
    digest = hashlib.sha256(f"{cause}|{run_id}".encode()).digest()
    bug_id = f"{LETTERS['bug']}-{base32(int.from_bytes(digest[:10], 'big'))}"
    row["id"] = bug_id
    with transaction(scene.records):
        ensure_project(scene.records, place)
        is_new = insert_record(scene.records, "bug", row)
    if is_new or not links.links_of(scene.records, bug_id):  # a crash in between left it without
        links.add_link(scene.records, "bug", links.Link(bug_id, "concerns", run_id), "run", "daemon")
    project = scene.projects.get(str(place.root))
    if project is not None:
        project.is_stale = project.is_told = True
    return bug_id, is_new
