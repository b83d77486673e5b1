"""The server's end: a call in progress may finish what it writes, then the process ends, whatever else it is doing."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from neatd.mcp.attending import depart

LEAVE_S = 1.5  # the SDK's own client kills a server 2 s after it closed stdin
worker = ThreadPoolExecutor(1, "call")  # one call at a time


def leave() -> None:
    """End this process when the call in progress has ended, at the latest after LEAVE_S. Does not return."""
    leave_in_time()
    with suppress(RuntimeError):  # it is left already
        worker.submit(depart)
    worker.shutdown()
    os._exit(0)  # no thread that waits for stdin or for a slow client is waited for


def leave_in_time() -> None:
    """End this process after LEAVE_S, if it has not ended by itself."""
    timer = threading.Timer(LEAVE_S, os._exit, (0,))
    timer.daemon = True
    timer.start()
