"""Who is at the other end of a connection: the same user of this machine, or anybody else.

The kernel tells whose a socket is (/proc/net/tcp on Linux): the row of the caller's end, while it is established. Where
it cannot be told, the caller is nobody, and has to show the token.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from pathlib import Path

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TABLES = {socket.AF_INET: Path("/proc/net/tcp"), socket.AF_INET6: Path("/proc/net/tcp6")}
_ESTABLISHED = "01"
_LARGEST = 4 << 20  # bytes of the kernel's table


def uid_of(family: int, theirs: tuple[str, int], ours: tuple[str, int]) -> int | None:
    """The user whose socket `theirs` is, connected to `ours` on this machine; None where nobody can tell."""
    table = _TABLES.get(socket.AddressFamily(family))
    if table is None:
        return None
    local, remote = (_as_kernel(family, *one) for one in (theirs, ours))
    try:
        with table.open() as file:
            text = file.read(_LARGEST)
    except OSError:
        return None
    at = text.find(f" {local} {remote} {_ESTABLISHED} ")
    if at < 0:
        return None
    words = text[at : text.find("\n", at)].split()
    return int(words[6])


def _as_kernel(family: int, host: str, port: int) -> str:
    packed = socket.inet_pton(family, host)
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


def is_same_user(peer: socket.socket) -> bool:
    """Whether the process at the other end of a connection on this machine is of the user whom this process belongs to."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        theirs, ours = peer.getpeername()[:2], peer.getsockname()[:2]
    except OSError:
        return False
    if theirs[0] != ours[0]:  # from another machine, or another address of this one: not proved
        return False
    return uid_of(peer.family, theirs, ours) == os.getuid()


class Protocol(HttpToolsProtocol):
    """Uvicorn's, with what is known of the caller in each request's `state`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        self.app_state = {**self.app_state, "is_same_user": peer is not None and is_same_user(peer)}
