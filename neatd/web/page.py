"""What all parts of the page share: the home, the store, who follows it, the token."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from neatd.doors.tokens import Token
from neatd.web.limits import Bucket

if TYPE_CHECKING:
    from neatd.web.hub import Hub
    from neatd.web.stores import Stores

SENT_RATE, SENT_BURST = 20.0, 200.0  # requests a second of one machine that sends lines
WRONG_RATE, WRONG_BURST = 0.2, 10.0  # of one address that shows no token of such a machine


class Page:
    """The page of one home. `hosts` are the names by which it may be called, besides its address and localhost."""

    def __init__(self, home: Path, address: str, hosts: Sequence[str] = ()) -> None:
        self.home, self.address, self.hosts = home, address, tuple(hosts)
        self.boot = secrets.token_hex(4)
        self.hub: Hub | None = None  # until the API is there
        self.senders, self.wrong_senders = Bucket(SENT_RATE, SENT_BURST), Bucket(WRONG_RATE, WRONG_BURST)
        self._token = Token(home)
        self._heard_at = time.monotonic()

    @cached_property
    def stores(self) -> Stores:
        """The store as the page reads it."""
        from neatd.web.stores import Stores  # the API's: most of what is loaded comes with it

        return Stores(self.home)

    @property
    def token(self) -> str:
        """The token that holds at the moment."""
        return self._token()

    def heard(self) -> None:
        """Somebody asked."""
        self._heard_at = time.monotonic()

    def idle_s(self) -> float:
        """Seconds since somebody asked."""
        return time.monotonic() - self._heard_at

    def close(self) -> None:
        """End for all who follow."""
        if self.hub is not None:
            self.hub.close()
