"""The whole examination of an installation, as `neat doctor` prints it and the page shows it. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from neatd.lifesign import not_watching
from neatd.pipeline.doctor.finding import Finding
from neatd.pipeline.doctor.machine import machine
from neatd.pipeline.doctor.project import project
from neatd.pipeline.doctor.sizes import sizes
from neatd.pipeline.doctor.stored import stored


def examine(home: Path, root: Path | None, service: Iterable[tuple[str, str, str, str]]) -> list[Finding]:
    """Every finding, in the order in which people read them. `root` is a project's folder, or None outside of one.

    `service` is what `neatd.service.checks.service_checks(home)` found: the pipeline knows no service manager. Asks
    programs (git, the service manager) and reads the whole of both databases: seconds for large ones.
    """
    return [
        *machine(), *stored(home), *sizes(home, root), *_daemon(home),
        *(Finding(*one) for one in service), *project(home, root),
    ]  # fmt: skip


def _daemon(home: Path) -> Iterator[Finding]:
    text = not_watching(home)
    yield Finding("neatd", "note" if text else "ok", text or "watches", "`neatd start`" if text else "")
