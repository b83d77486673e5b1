"""Signals to a process that is known by its number and its start: never to another that was given the number since, and
never to one of another user."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

import psutil

from neatd.errors import NeatError
from neatd.models import ProcessFact

# What is sent, one after the other: a trainer that saves at an interrupt is given time before the next.
SIGNALS = ("INT", "TERM", "KILL")

Alive = Callable[[ProcessFact], bool]


def send(fact: ProcessFact, name: str, is_alive: Alive, spared: Collection[int] = ()) -> None:
    """Send INT, TERM or KILL to the process; KILL to those below it too, but for the `spared` and what is below them.

    Nothing happens when it has gone. `is_alive` tells whether the number is still that very process's. Raises NeatError
    for a process of another user.
    """
    with suppress(ProcessLookupError, psutil.NoSuchProcess):
        below = list(_below(psutil.Process(fact.pid), spared)) if name == "KILL" and is_alive(fact) else []
        try:
            _send(fact, name, is_alive)
        except (PermissionError, psutil.AccessDenied) as error:
            raise NeatError(f"process {fact.pid} belongs to another user", "ask its owner to end it") from error
        for child in below:
            with suppress(psutil.Error):
                child.kill()  # psutil compares the start first


def _send(fact: ProcessFact, name: str, is_alive: Alive) -> None:
    if not hasattr(os, "pidfd_open"):  # macOS, Windows: looked at and sent right after
        process = psutil.Process(fact.pid)
        if is_alive(fact) and os.name == "nt":
            process.kill()  # there is no other way in from outside
        elif is_alive(fact):
            _refuse_others(process)
            process.send_signal(getattr(signal, f"SIG{name}"))
        return
    descriptor = os.pidfd_open(fact.pid)
    try:
        if is_alive(fact):  # whatever has the number now keeps it while the descriptor is open
            _refuse_others(psutil.Process(fact.pid))
            signal.pidfd_send_signal(descriptor, getattr(signal, f"SIG{name}"))
    finally:
        os.close(descriptor)


def _refuse_others(process: psutil.Process) -> None:
    """Root may signal everybody, and must not."""
    if process.uids().real != os.getuid():
        raise PermissionError


def _below(process: psutil.Process, spared: Collection[int]) -> Iterator[psutil.Process]:
    with suppress(psutil.Error):
        for child in process.children():
            if child.pid not in spared:
                yield child
                yield from _below(child, spared)
