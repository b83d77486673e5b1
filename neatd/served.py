"""The daemon as a service manager starts it: after starts that failed at once it waits, then it runs in the foreground.

Light until the daemon itself is loaded, so that a library which cannot be loaded is a reason that is kept.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from neatd import __version__
from neatd.errors import NeatError
from neatd.notify import Notifier
from neatd.starts import failed_start, known_starts

LOOK_S = 1.0


def serve(home: Path) -> None:
    """Run until told to end. Raises NeatError when it cannot."""
    wait_out(home, Notifier(os.environ.get("NOTIFY_SOCKET", "")))
    try:
        from neatd.daemon import run
    except ImportError as error:
        failed_start(home, f"{type(error).__name__}: {error}", __version__)
        raise NeatError(f"neat cannot be loaded: {error}", "install it anew, then `neatd install`") from error
    # What stderr holds goes to systemd's journal, which bounds it; elsewhere it would be a file that grows for ever.
    run(home, is_foreground="JOURNAL_STREAM" in os.environ, is_service=True)


def wait_out(home: Path, notifier: Notifier) -> None:
    """Wait as long as the last starts ask for. Ends early when somebody starts it by hand, which forgives them."""
    is_told = False
    while left_s := (starts := known_starts(home)).wait_s(time.time()):
        reason = starts.last_crash.reason if starts.last_crash else ""
        text = f"waits: {starts.in_a_row} starts in a row ended at once, the last with: {reason}"
        if not is_told:
            print(
                f"neatd {text}; the next try is in {left_s:.0f} s, `neatd start` tries now", file=sys.stderr, flush=True
            )
        is_told = True
        notifier.status(text)
        time.sleep(min(left_s, LOOK_S))
