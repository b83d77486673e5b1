"""`neat mcp`: the notebook as tools of an assistant."""

from __future__ import annotations

import gc

import click

from neatd.lineage import is_orphan, on_starter_death
from neatd.mcp.leaving import leave


@click.command("mcp", short_help="Serve an assistant's tools on stdin and stdout.")
def mcp() -> None:
    """Serve the notebook to an assistant as tools, by the Model Context Protocol on stdin and stdout.

    An assistant starts it, and it ends with the assistant. The project is the one around CLAUDE_PROJECT_DIR, or around
    the folder it was started in. It needs no daemon.

    \b
    neat mcp
    claude mcp add neat -- neat mcp
    codex mcp add neat -- neat mcp
    """
    if is_orphan():
        return
    on_starter_death(leave)
    gc.disable()  # the SDK makes a hundred thousand objects that stay: 0.15 s of 0.85 s went into looking for others
    from neatd.mcp.server import serve

    gc.freeze()
    gc.enable()
    serve()
