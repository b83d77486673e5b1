"""What all parts of the page share: the home, the store, those who follow, the token."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from neatd.config import Settings
from neatd.web.hub import Hub
from neatd.web.stores import Stores
from neatd.web.tokens import page_token


class Page:
    """The page of one home."""

    def __init__(self, home: Path, settings: Settings, address: str, port: int) -> None:
        self.home, self.settings, self.address, self.port = home, settings, address, port
        self.stores = Stores(home)
        self.token = page_token(home)
        self.boot = secrets.token_hex(4)
        self.hub = Hub(Stores(home), self.boot)
        self._heard_at = time.monotonic()

    def heard(self) -> None:
        """Somebody asked."""
        self._heard_at = time.monotonic()

    def idle_s(self) -> float:
        """Seconds since somebody asked."""
        return time.monotonic() - self._heard_at
