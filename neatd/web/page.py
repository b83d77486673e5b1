"""What all parts of the page share: the home, the store, those who follow, the token."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from neatd.config import Settings
from neatd.doors.tokens import Token
from neatd.web.hub import Hub
from neatd.web.limits import Bucket
from neatd.web.stores import Stores

SENT_RATE, SENT_BURST = 20.0, 200.0  # requests a second of one machine that sends lines
WRONG_RATE, WRONG_BURST = 0.2, 10.0  # of one address that shows no token of such a machine


class Page:
    """The page of one home."""

    def __init__(self, home: Path, settings: Settings, address: str, port: int) -> None:
        self.home, self.settings, self.address, self.port = home, settings, address, port
        self.stores = Stores(home)
        self._token = Token(home)
        self.boot = secrets.token_hex(4)
        self.hub = Hub(Stores(home), self.boot)
        self.senders, self.wrong_senders = Bucket(SENT_RATE, SENT_BURST), Bucket(WRONG_RATE, WRONG_BURST)
        self._heard_at = time.monotonic()

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
