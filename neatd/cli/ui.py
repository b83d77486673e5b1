"""The page in a browser: where it is, how to get there from another machine, and the token that it may ask for."""

from __future__ import annotations

import getpass
import html
import json
import os
import socket
import sys
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit

import click

from neatd.cli.common import json_option, print_json
from neatd.doors.tokens import page_token
from neatd.errors import NeatError
from neatd.files import write_atomic
from neatd.lifesign import is_running, read_state
from neatd.place import neat_home

ANSWER_S = 20.0  # the first caller waits until the page's process has started
_OPENING = """<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>neat</title>
<meta http-equiv="refresh" content="0; url={url}"><p><a href="{url}">The page</a></p>
"""


@click.command(short_help="Open the page: runs, charts, queue and records, in the browser.")
@click.option("--no-browser", is_flag=True, help="Print the address only.")
@click.option("--token", is_flag=True, help="Print the token with which others log in.")
@json_option
def ui(no_browser: bool, token: bool, as_json: bool) -> None:
    """Open the page: runs, charts, queue and records, in the browser.

    neatd serves it, to this machine alone. Where there is no display, or you came by ssh, it prints the address, and the
    line that brings it to the machine you sit at.

    \b
    neat ui
    neat ui --no-browser
    neat ui --token
    """
    home = neat_home()
    if token and not as_json:
        click.echo(page_token(home))
        return
    url = page_url(home)
    if as_json:
        print_json({"url": url} | ({"token": page_token(home)} if token else {}))
        return
    click.echo(url)
    if is_remote():
        click.echo(f"on the machine you sit at: {tunnel(url)}\nthen open {_from_afar(url)} there", err=True)
    elif not no_browser:
        _open(home, url)


def page_url(home: Path) -> str:
    """Where the page of the running daemon is. Raises NeatError when none runs."""
    url = read_state(home).get("url") if is_running(home) else None
    if not isinstance(url, str):
        raise NeatError("neatd is not running, and it serves the page", "`neatd start`, then `neat ui`")
    return url


def is_remote() -> bool:
    """Whether no browser of this machine is before whoever types."""
    if any(name in os.environ for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")):
        return True
    return sys.platform.startswith("linux") and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def tunnel(url: str) -> str:
    """The line that, typed on another machine, makes the page answer there."""
    told = os.environ.get("SSH_CONNECTION", "").split()  # their address and port, ours as they reached it
    host, port = (told[2], told[3]) if len(told) == 4 else (socket.gethostname(), "22")
    here = urlsplit(url)
    number = here.port or 80
    there = f"[{here.hostname}]" if ":" in (here.hostname or "") else here.hostname
    words = ["ssh", "-N", "-L", f"{number}:{there}:{number}", *(["-p", port] if port != "22" else [])]
    return " ".join([*words, f"{getpass.getuser()}@{host}"])


def _from_afar(url: str) -> str:
    return f"http://localhost:{urlsplit(url).port or 80}"


def _open(home: Path, url: str) -> None:
    """In the browser. A token that is needed goes by a file that only its owner reads, since everybody on the machine can
    read the words with which a browser is started; and as a fragment, which a browser sends nowhere."""
    where = url
    if asks_for_token(url):
        path = home / "page-open.html"
        opening = _OPENING.format(url=html.escape(f"{url}/#token={page_token(home)}"))
        write_atomic(path, opening.encode(), mode=0o600)
        where = path.as_uri()
    if not webbrowser.open(where):
        click.echo("no browser could be started: open the address in one", err=True)


def asks_for_token(url: str) -> bool:
    """Whether the page cannot tell that we are its user: where the system does not say whose a connection is."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/status.json", timeout=ANSWER_S) as answer:
            json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code == 401
    except (OSError, ValueError) as error:
        raise NeatError(
            f"the page at {url} does not answer: {error}", "`neatd restart`; `neatd logs` tells more"
        ) from error
    return False
