"""Servers of `neat mcp` as real processes: spoken to by the SDK's own client, or line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp.server.lowlevel import Server
from mcp.types import Implementation

from neatd.mcp import server
from neatd.mcp.tools import INSTRUCTIONS
from neatd.place import here
from neatd.store.connection import transaction
from neatd.store.short import ensure_project
from neatd.who import SESSION_VARIABLE
from tests.cli_place import Cli

ARGUMENTS = ["-c", "from neatd.cli.main import main; main()", "mcp"]
TOLD = ("CLAUDE_PROJECT_DIR", "CLAUDECODE")


def registered(cli: Cli) -> Cli:
    """A project that the store knows, with nothing in its folder but neat.yaml."""
    (cli.root / "neat.yaml").write_text(f'id: "{uuid.uuid4()}"\n')
    with cli.store() as store, transaction(store):
        ensure_project(store, here())
    return cli


class Said(NamedTuple):
    """What a tool answered: its text, what was noted beside it, whether it was an error."""

    text: str
    notes: tuple[str, ...]
    is_error: bool

    @property
    def json(self) -> Any:
        assert not self.is_error, self.text
        return json.loads(self.text)


class Tools:
    """The tools of a server, as an assistant calls them."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, tool: str, **arguments: Any) -> Said:
        result = await self.client.call_tool(tool, arguments)
        first, *rest = [block.text for block in result.content]
        return Said(first, tuple(rest), bool(result.is_error))


def environment(cli: Cli) -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key not in TOLD} | {"NEAT_HOME": str(cli.home)}


def with_tools(
    cli: Cli, use: Callable[[Tools], Awaitable[Any]], *, name: str = "claude-code", cwd: Path | None = None,
    mode: str = "legacy", **env: str,
) -> Any:  # fmt: skip
    """What `use` returns, having used the tools of a server of its own."""

    async def run() -> Any:
        process = StdioServerParameters(
            command=sys.executable, args=ARGUMENTS, env=environment(cli) | env, cwd=cwd or cli.root
        )
        async with Client(process, client_info=Implementation(name=name, version="1"), mode=mode) as client:
            return await use(Tools(client))

    return anyio.run(run)


def with_tools_here(cli: Cli, use: Callable[[Tools], Awaitable[Any]], *, name: str = "claude-code") -> Any:
    """What `use` returns, having used the tools of the server in this process: the same protocol and the same calls without
    the second that a process takes to load the SDK."""
    handlers = Server("neat", instructions=INSTRUCTIONS, on_list_tools=server._list, on_call_tool=server._call)

    async def run() -> Any:
        async with Client(handlers, client_info=Implementation(name=name, version="1"), mode="legacy") as client:
            return await use(Tools(client))

    with pytest.MonkeyPatch.context() as patch:
        for variable in (*TOLD, SESSION_VARIABLE):  # the server tells its own process the session
            patch.delenv(variable, raising=False)
        try:
            return anyio.run(run)
        finally:
            os.environ.pop(SESSION_VARIABLE, None)


class Lines:
    """A server spoken to line by line, where the client itself is tried."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._last = 0

    def send(self, method: str, params: dict[str, Any] | None = None) -> None:
        self._last += 1
        message = {"jsonrpc": "2.0", "id": self._last, "method": method, "params": params or {}}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        self.send(method, params)
        return self.read()

    def begin(self) -> dict[str, Any]:
        """The handshake; returns its answer."""
        return self.ask("initialize", HANDSHAKE)

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("tools/call", {"name": tool, "arguments": arguments})["result"]
        return found


HANDSHAKE = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "codex-mcp-client", "version": "1"},
}


@contextmanager
def lines(cli: Cli, **options: Any) -> Iterator[Lines]:
    """A server, ended after the test if it has not ended by itself."""
    process = subprocess.Popen(
        [sys.executable, *ARGUMENTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cli.root, env=environment(cli),
        **options,
    )  # fmt: skip
    try:
        yield Lines(process)
    finally:
        process.kill()
        process.wait(timeout=30)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
