"""Where a request comes from, as far as a browser tells: the name it calls us by, the page that sent it. Pure.

A name is taken that this machine has and nobody else can give it: its address, localhost, and those that settings name. So
no name that a stranger points at this machine is taken. Whatever is not written as a browser writes it is not taken either.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LONGEST = 300
_HOST = re.compile(r"(?P<name>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_SITES = {"same-origin", "none"}  # `none`: somebody typed the address, or chose it
_VISITED = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def is_any(address: str) -> bool:
    """Whether who listens at this address listens at all of the machine's."""
    return address in ("0.0.0.0", "::", "")


def address_of(text: str) -> str | None:
    """An IP address in its one form; None for what is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


class Names:
    """The names by which a page may be called."""

    def __init__(self, address: str, more: Iterable[str] = ()) -> None:
        own = () if is_any(address) else (address_of(address) or address.lower(),)
        self._names = LOOPBACK | {name.lower() for name in more if name} | set(own)
        self._takes_addresses = is_any(address)  # a page elsewhere can point names at us, but no address

    def has(self, host: str) -> bool:
        """Whether a Host header names this page."""
        found = _HOST.fullmatch(host.lower()) if len(host) <= LONGEST else None
        if found is None:
            return False
        name = found["name"].strip("[]")
        address = address_of(name)
        if address is None:
            return name in self._names
        return address in self._names or self._takes_addresses


def is_foreign(headers: Mapping[str, str], is_shell: bool) -> bool:
    """Whether another page sent it. That page may open one of our shells as a page of its own, and nothing else: read
    nothing, frame nothing, send nothing."""
    origin = headers.get("origin")
    if origin is not None and not _is_own(origin, headers.get("host", "")):
        return True
    site = headers.get("sec-fetch-site")
    if site is None or site in _SITES:
        return False
    return not (is_shell and all(headers.get(name) == value for name, value in _VISITED.items()))


def _is_own(origin: str, host: str) -> bool:
    try:
        found = urlsplit(origin)
    except ValueError:
        return False
    return found.scheme in ("http", "https") and found.netloc.lower() == host.lower()
