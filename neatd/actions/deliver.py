"""The program that sends one message by Apprise, in a process of its own: `python -m neatd.actions.deliver`.

It gets {url, title, body, severity} as JSON on stdin, and answers with {why} on stdout: "" when the message was taken.
What it says holds no part of the address. A service that hangs is ended with this process, and what Apprise and its
libraries need of memory is gone with it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys

from neatd.actions.addresses import address, without_address

_CODE = re.compile(r"error=(\d{3})\b")
_CODES = {
    "400": "the service did not understand the message",
    "401": "the service refuses the key in the address",
    "403": "the service refuses the key in the address, or it may not write there",
    "404": "the service knows no such place",
    "429": "the service gets too many messages",
}


class _Said(logging.Handler):
    """What Apprise warns of, which is all that it tells of a failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def send(url: str, title: str, body: str, severity: str) -> str:
    """Send a message to an address whose variables are put in; "" when it was taken, else why not."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

    said, log = _Said(), logging.getLogger("apprise")
    log.addHandler(said)
    log.propagate = False
    asset = AppriseAsset(app_id="neat", app_desc="neat", app_url="", async_mode=False)
    service = Apprise.instantiate(url, asset=asset)
    if service is None:
        return (
            "it is no address that Apprise knows; its services and how their addresses are written: `apprise --details`"
        )
    sender = Apprise(asset=asset)
    sender.add(service)
    kind = {"critical": NotifyType.FAILURE, "warning": NotifyType.WARNING}.get(severity, NotifyType.INFO)
    if sender.notify(body=body, title=title, notify_type=kind, body_format=NotifyFormat.TEXT):
        return ""
    return without_address(_in_words(" ".join(said.lines)), url)


def _in_words(said: str) -> str:
    if code := _CODE.search(said):
        return f"{_CODES.get(code[1], 'the service answered')} (HTTP {code[1]})"
    if "onnection error" in said:
        return "no connection: nothing answers at the address, or not in time"
    return said or "Apprise could not send it, and does not say why"


def main() -> None:
    """One message from stdin."""
    message = json.load(sys.stdin)
    url, missing = address(message["url"], os.environ)
    if missing:
        why = f"the environment variable {', '.join(missing)} is not set where it was sent from"
    else:
        why = send(url, message["title"], message["body"], message["severity"])
    print(json.dumps({"why": why}))


if __name__ == "__main__":
    main()
