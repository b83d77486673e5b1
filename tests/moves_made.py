"""A checkpoint on its way into the trash and back without end, killed in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from neatd.actions.prune import reconcile, restore
from neatd.models import Checkpoint, Deletion

MOVING = """
import sys
from pathlib import Path
from neatd.actions.prune import move_to_trash, restore
from neatd.models import Checkpoint, Deletion
expected, deletion = Checkpoint.model_validate_json(sys.argv[1]), Deletion.model_validate_json(sys.argv[2])
print("ready", flush=True)
while True:
    moved = move_to_trash(deletion, expected, Path(sys.argv[3]))
    assert moved.status == "moved", moved
    assert restore(moved).status == "restored"
    print(".", flush=True)
"""


def killed_and_settled(deletion: Deletion, expected: Checkpoint, root: Path, rounds: int) -> None:
    """A process moves and restores it; after so many rounds it is killed. What it left is settled and brought back."""
    command = [sys.executable, "-c", MOVING, expected.model_dump_json(), deletion.model_dump_json(), str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(1 + rounds):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    found = reconcile(deletion)
    if found.status == "moved":
        assert restore(found).status == "restored"
