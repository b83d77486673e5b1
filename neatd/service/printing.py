"""What `neatd install --print` prints: the whole unit, agent or task of a kind; for a container what to put in its entry point.

Changes nothing, and asks no manager: it can be printed where it cannot be installed.
"""

from __future__ import annotations

from pathlib import Path

from neatd.service.here import ENTRY_POINT, manager_of
from neatd.service.program import Program

# A piece of a shell script: its comments explain it, and it can be appended to an entry point as it is.
_CONTAINER = """\
# No service manager runs here (a container?): `neatd install` would change nothing. Put the last line into the entry
# point, before what the container runs. It returns when neatd watches, which then goes on in the background:
#   #!/bin/sh
#   {line}
#   exec "$@"
# Without an entry point of yours, in a Dockerfile: ENTRYPOINT ["/bin/sh", "-c", "{line}; exec \\"$0\\" \\"$@\\""]
# The records are in {home}: a volume there outlives the container.
# The unit for a machine that has systemd: `neatd install --print --kind systemd`; also launchd, task (of Windows).
{line}
"""


def printed(kind: str, home: Path, program: Program, is_system: bool = False) -> str:
    """The text of a kind, for `program` and the home. Raises NeatError for --system of another than systemd."""
    if kind == "none" and not is_system:
        return _CONTAINER.format(line=ENTRY_POINT, home=home)
    return manager_of(kind, home, is_system).text(program)
