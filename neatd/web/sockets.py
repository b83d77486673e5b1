"""Whose a socket of this machine is, as Linux tells: the user who made the end of a connection that is not ours.

The kernel is asked for that one connection (sock_diag(7)); where it does not answer, its table is read. Whoever is none of
the machine's users that can be told apart, and a connection that is not established, is nobody.
"""

from __future__ import annotations

import socket
import struct
from functools import cache
from pathlib import Path
from typing import NamedTuple

_ESTABLISHED = 1
_TABLES = {socket.AF_INET: Path("/proc/net/tcp"), socket.AF_INET6: Path("/proc/net/tcp6")}
_LARGEST = 4 << 20  # bytes of the kernel's table
_DIAG, _BY_FAMILY, _REQUEST, _ANY = 4, 20, 1, 0xFFFFFFFF  # linux/sock_diag.h
_WAIT_S = 0.2
_MAPPED = "::ffff:"


class End(NamedTuple):
    """One end of a connection."""

    host: str
    port: int


def uid_of(family: int, theirs: End, ours: End) -> int | None:
    """The user whose socket `theirs` is, connected to `ours` on this machine; None where nobody can tell."""
    for one, their, our in _forms(family, theirs, ours):
        uid = _asked(one, their, our)
        uid = _looked_up(one, their, our) if uid is None else uid
        if uid is not None:
            return None if uid == _nobody() else uid
    return None


def _forms(family: int, theirs: End, ours: End) -> list[tuple[socket.AddressFamily, End, End]]:
    """The connection as the other end may have made it: of IPv4 in IPv6, as IPv4 too."""
    forms = [(socket.AddressFamily(family), theirs, ours)]
    if theirs.host.startswith(_MAPPED) and ours.host.startswith(_MAPPED):
        plain = [one._replace(host=one.host.removeprefix(_MAPPED)) for one in (theirs, ours)]
        forms.append((socket.AF_INET, plain[0], plain[1]))
    return forms


def _asked(family: socket.AddressFamily, theirs: End, ours: End) -> int | None:
    hosts = b"".join(socket.inet_pton(family, one.host).ljust(16, b"\0") for one in (theirs, ours))
    wanted = struct.pack("!HH", theirs.port, ours.port) + hosts + struct.pack("=III", 0, _ANY, _ANY)
    body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 0, 0, _ANY) + wanted
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _DIAG) as kernel:  # type: ignore[attr-defined,unused-ignore]
            kernel.settimeout(_WAIT_S)
            kernel.send(struct.pack("=IHHII", 16 + len(body), _BY_FAMILY, _REQUEST, 1, 0) + body)
            answer = kernel.recv(8192)
    except (AttributeError, OSError):
        return None
    if len(answer) < 88 or struct.unpack_from("=H", answer, 4)[0] != _BY_FAMILY:
        return None
    _, state = struct.unpack_from("=BB", answer, 16)
    is_it = answer[20:24] == wanted[:4] and answer[24:56] == hosts and state == _ESTABLISHED
    return int(struct.unpack_from("=I", answer, 80)[0]) if is_it else None


def _looked_up(family: socket.AddressFamily, theirs: End, ours: End) -> int | None:
    table = _TABLES.get(family)
    try:
        with (table or Path("/dev/null")).open() as file:
            text = file.read(_LARGEST)
    except OSError:
        return None
    local, remote = (_as_kernel(family, one) for one in (theirs, ours))
    at = text.find(f" {local} {remote} {_ESTABLISHED:02X} ")
    words = text[at:].split(maxsplit=7) if at >= 0 else []
    return int(words[6]) if len(words) > 6 else None


def _as_kernel(family: int, end: End) -> str:
    packed = socket.inet_pton(family, end.host)
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{end.port:04X}"


@cache
def _nobody() -> int:
    """The user by which the kernel shows those it cannot show: of another container."""
    try:
        return int(Path("/proc/sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        return 65534
