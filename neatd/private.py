"""Addresses, ports and key paths of machines taken out of text that goes into a document. Pure.

It hides what says how to reach a machine: IP addresses (not the loopback), user@host, ssh commands, hosts of clouds,
paths of keys. `pass@1`, `recall@k`, `git@github.com` and versions are no addresses.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from neatd.kinds import KINDS

if TYPE_CHECKING:
    from neatd.knowledge import Record

R = TypeVar("R", bound="Record")
ADDRESS, KEY, COMMAND, PORT = "[address hidden]", "[key path hidden]", "[ssh command hidden]", "[port hidden]"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_HOST = r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8}\.[A-Za-z]{2,20}"
_LOGIN = r"(?:root|ubuntu|ec2-user|admin|user|debian|centos|azureuser|opc|pi)"
_PORT = r"(?::\d{1,5})?"
# Every repetition is bounded, so that no text makes the search quadratic. Compiled when a text first asks for them.
_SSH = (
    r"(?<![\w./-])(?P<lead>^[ \t$>]{0,8}|`[ \t$]{0,3}|)(?:ssh|scp|sftp|mosh|ssh-copy-id)"
    r"(?P<options>(?:[ \t]+-[A-Za-z46]\S{0,80}(?:[ \t]+(?!-)[^\s`]{1,200})?){0,8})[ \t]+(?P<target>(?!-)[^\s`]{1,200})"
    r"(?P<rest>(?:[ \t]+-[A-Za-z]\S{0,80}(?:[ \t]+(?!-)[^\s`]{1,200})?){0,8})"
)
_KEYS = (
    r"[^\s\"'`()=,]{0,200}\.ssh[/\\][^\s\"'`(),;]{1,200}|[^\s\"'`()=,]{1,200}\.(?:pem|ppk)\b"
    r"|\bid_(?:rsa|dsa|ecdsa|ed25519)\w{0,40}"
)
_USER = (
    rf"(?<![\w.+-])(?!git@)(?:[A-Za-z_][\w.+-]{{0,63}}@(?:{_IPV4}|{_HOST})|{_LOGIN}@[A-Za-z0-9][\w.-]{{0,100}}){_PORT}"
)
_IP = (
    rf"(?<![\w.])(?<![=<>~]=)(?!127\.|0\.0\.0\.0){_IPV4}(?:/\d{{1,2}})?{_PORT}(?!\.?\d|\w)"
    r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}(?![\w:])"
    r"|(?<![\w:])[0-9a-fA-F]{3,4}(?::[0-9a-fA-F]{1,4}){0,6}::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?(?![\w:])"
)
_CLOUD = (
    r"(?<![\w.-])[\w-]{1,63}(?:\.[\w-]{1,63}){0,6}\."
    r"(?:amazonaws\.com|cloudapp\.azure\.com|googleusercontent\.com|runpod\.(?:io|net)|vast\.ai|ts\.net|internal|lan)\b"
    rf"{_PORT}"
)
_PORTS = r"(?i)\b(ports?[ \t]{0,3}[:=]?[ \t]{0,3})\d{2,5}\b"


# One of these stands in every address but the bare numbers: a look costs a twentieth of the search.
_SIGNS = (
    "@", "ssh", "scp", "sftp", "mosh", ".pem", ".ppk", "id_", "::", "amazonaws", "cloudapp", "googleusercontent", "runpod",
    "vast.ai", "ts.net", ".internal", ".lan",
)  # fmt: skip
_FOUR = re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d")
_FIVE = re.compile(r"(?:[0-9a-fA-F]{1,4}:){4}")


def might_hold_address(text: str) -> bool:
    """False only where `private_text` changes nothing."""
    if any(sign in text for sign in _SIGNS):
        return True
    has_four = text.count(".") >= 3 and _FOUR.search(text) is not None
    return has_four or (text.count(":") >= 4 and _FIVE.search(text) is not None)


def private_text(text: str) -> str:
    """`text` with addresses, ssh commands and paths of keys replaced by marks that say what stood there."""
    if not might_hold_address(text):
        return text
    text = _compiled(_SSH).sub(_command, text)
    for shape, mark in ((_KEYS, KEY), (_USER, ADDRESS), (_IP, ADDRESS), (_CLOUD, ADDRESS)):
        text = _compiled(shape).sub(mark, text)
    return text


@cache
def _compiled(shape: str) -> re.Pattern[str]:
    return re.compile(shape, re.M)


def without_private(kind: str, record: R) -> R:
    """A record whose private fields are empty and whose other texts name neither them nor any address. A kind without
    private fields stays as it is."""
    private, others = _fields_of(kind)
    if not private:
        return record
    known = sorted({str(getattr(record, name)) for name in private} - {""}, key=len, reverse=True)
    fields = {name: _hidden(text, known) for name in others if (text := getattr(record, name))}
    return record.model_copy(update=fields | dict.fromkeys(private, ""))


@cache
def _fields_of(kind: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of a kind's private fields, and of those that hold text in which they may be named."""
    fields = KINDS[kind].fields
    texts = (field.name for field in fields if field.type == "text" and not field.is_private)
    return tuple(field.name for field in fields if field.is_private), ("title", "body", *texts)


def _hidden(text: str, known: list[str]) -> str:
    """private_text, and besides what the record itself calls private: a host may have a name of any shape."""
    text = _compiled(_PORTS).sub(rf"\1{PORT}", private_text(text))
    for value in known:
        if len(value) > 3 or value.isdigit():
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", ADDRESS, text)
    return text


def _command(found: re.Match[str]) -> str:
    """The mark for an ssh command; "ssh into the box" stays, since it says no way to reach one."""
    before, behind = (
        found.string[max(0, found.start() - 1) : found.start()],
        found.string[found.end() : found.end() + 8].lstrip(" \t")[:1],
    )
    is_line = (found["lead"] or before in ("", "\n")) and behind in ("", "`", "\n")
    target = found["target"]
    is_address = "@" in target or re.search(r"\.\w|:", target) is not None
    if not (found["options"] or found["rest"] or is_address or is_line):
        return found[0]
    return found["lead"] + COMMAND
