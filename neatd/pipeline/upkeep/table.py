"""Each job's function, and whether it goes beside the loop."""

from __future__ import annotations

from collections.abc import Callable

from neatd.pipeline.upkeep.commands import run_command
from neatd.pipeline.upkeep.disk import report_disk
from neatd.pipeline.upkeep.documents import index_documents
from neatd.pipeline.upkeep.logs import archive_logs
from neatd.pipeline.upkeep.service import check_service
from neatd.pipeline.upkeep.snapshots import expire_snapshots
from neatd.pipeline.upkeep.store import back_up_records, check_databases, export_records
from neatd.pipeline.upkeep.temporary import clear_temporary
from neatd.pipeline.upkeep.thinning import thin_checkpoints
from neatd.pipeline.upkeep.trash import empty_trash
from neatd.pipeline.upkeep.work import Steps, Work

CALLS: dict[str, Callable[[Work], Steps]] = {
    "backup": back_up_records, "checkpoints": thin_checkpoints, "snapshots": expire_snapshots,
    "temporary": clear_temporary, "logs": archive_logs, "trash": empty_trash, "integrity": check_databases,
    "disk": report_disk, "service": check_service, "documents": index_documents, "knowledge": export_records,
}  # fmt: skip
# What takes long in one piece and moves no file of a user's; a user's own commands too.
BESIDE = frozenset({"backup", "integrity", "disk", "service", "documents", "knowledge"})


def steps_of(work: Work) -> Steps:
    """The steps of a job."""
    return (run_command if work.job.command else CALLS[work.job.name])(work)


def is_beside(name: str) -> bool:
    """Whether a job has a thread and connections of its own."""
    return name in BESIDE or name not in CALLS
