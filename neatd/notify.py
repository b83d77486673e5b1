"""What a service manager is told: ready, alive, ending. The datagrams of sd_notify(3), by the standard library alone.

Without NOTIFY_SOCKET, and where the manager is gone, nothing is sent and nothing fails: a daemon hangs on no manager.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import MutableMapping

# Taken out of the environment when they are read: a job that inherited them would speak for the daemon.
VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
SEND_S = 1.0  # no longer does a manager whose queue is full hold up the loop


class Notifier:
    """Speaks to the socket `address` ("@name" is abstract, "" is nobody). `watchdog_s`: beats are wanted within it; 0: none."""

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self.address, self.watchdog_s = address, watchdog_s
        self._next_beat = 0.0

    @classmethod
    def taken_from(cls, environment: MutableMapping[str, str], pid: int) -> Notifier:
        """The one that systemd's variables tell of; they are gone from `environment` afterwards."""
        address, usec, for_pid = (environment.pop(name, "") for name in VARIABLES)
        is_ours = for_pid in ("", str(pid))
        return cls(address, int(usec) / 1e6 if is_ours and usec.isdecimal() else 0.0)

    def ready(self, text: str) -> None:
        """It watches and answers."""
        self._send(f"READY=1\nSTATUS={_line(text)}")

    def status(self, text: str) -> None:
        """What `systemctl status` shows."""
        self._send(f"STATUS={_line(text)}")

    def stopping(self) -> None:
        """It ends because it was told to."""
        self._send("STOPPING=1\nSTATUS=ending")

    def beat(self) -> None:
        """The loop lives. Sent twice in the watchdog's time at the most, so it may be called as often as one likes."""
        now = time.monotonic()
        if self.watchdog_s and now >= self._next_beat:
            self._next_beat = now + self.watchdog_s / 2
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self.address or not hasattr(socket, "AF_UNIX"):
            return
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        # A manager that is gone, or whose queue stays full, is no reason to end: it will start us again, or not.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.settimeout(SEND_S)
            to.sendto(text.encode(), address)


def _line(text: str) -> str:
    return " ".join(text.split())
