"""Addresses of Apprise as text: the environment put into them, and taken out of what is said. Stdlib only: the program
that sends a message has no time for more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

LEAST_SECRET = 4  # characters of a part of an address that is looked for in what a service says
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)")
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://\S*?(?=: |\s|$)")
_VALUE = re.compile(r" \(value: .*\)$", re.M)


def variables_of(url: str) -> list[str]:
    """The environment variables that an address needs."""
    return list(dict.fromkeys(VARIABLE.findall(url)))


def address(url: str, environment: Mapping[str, str]) -> tuple[str, list[str]]:
    """(`url` with its variables put in as they stand, the names of those that are not set)."""
    missing = [name for name in variables_of(url) if not environment.get(name)]
    return VARIABLE.sub(lambda found: environment.get(found[1], ""), url), missing


def shown(url: str) -> str:
    """What may be shown of an address: its scheme, and the names of its variables."""
    scheme = SCHEME.match(url)
    names = "".join(f" ${name}" for name in variables_of(url))
    return (f"{scheme[0]}://…" if scheme else "…") + names


def without_address(text: str, url: str) -> str:
    """What a service said, without any part of the address that it was said of."""
    parts = {part for one in (url, unquote(url)) for part in re.split(r"[/:@?&=,#\s]+", one)}
    parts |= {quote(part, safe="") for part in parts} | {url, url.partition("://")[2]}
    scheme = SCHEME.match(url)
    for part in sorted(parts - {scheme[0] if scheme else ""}, key=len, reverse=True):
        if len(part) >= LEAST_SECRET:
            text = text.replace(part, "…")
    return text


def without_values(mistakes: str) -> str:
    """The mistakes of a file that holds addresses, without its values."""
    return _ADDRESS.sub(r"\1://…", _VALUE.sub("", mistakes))
