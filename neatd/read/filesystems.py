"""Whether the file system around a folder tells of changes that others make to it. Network and user-space ones do not."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

# By the names that mount tables use. FUSE ones begin with `fuse`; what is not listed is taken to tell.
_SILENT = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb", "smbfs", "smb2", "smb3", "afs", "9p", "virtiofs", "lustre", "beegfs", "gpfs", "ceph",
        "glusterfs", "pvfs2", "orangefs", "panfs", "wekafs", "vboxsf", "prl_fs", "vmhgfs", "drvfs", "webdav", "davfs",
    }
)  # fmt: skip


def has_events(folder: Path) -> bool:
    """Whether changes below `folder` are told as events. False where that cannot be known."""
    kind = _kind_around(os.path.realpath(folder))
    return bool(kind) and kind not in _SILENT and not kind.startswith("fuse")


def _kind_around(real: str) -> str:
    """The type of the innermost mount around a real path; "" when no mount is listed."""
    around = [
        part for part in psutil.disk_partitions(all=True) if _is_around(part.mountpoint.rstrip(os.sep) + os.sep, real)
    ]
    return max(around, key=lambda part: len(part.mountpoint)).fstype.lower() if around else ""


def _is_around(mount: str, real: str) -> bool:
    return real.startswith(mount) or real + os.sep == mount
