"""What the page refuses beside what any command would. Light: the shells are answered before the API is loaded."""

from __future__ import annotations

from neatd.errors import NeatError


class NotFoundError(NeatError):
    """What an address names is not there."""


class BusyError(NeatError):
    """Too many ask at once."""
