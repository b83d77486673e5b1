"""Servers of `neat mcp` as real processes: spoken to by the SDK's own client, or line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import anyio.to_thread
import pytest
from mcp import Client, StdioServerParameters
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import Implementation

from neatd.mcp import server
from neatd.mcp.tools import INSTRUCTIONS
from neatd.place import here
from neatd.store.connection import transaction
from neatd.store.short import ensure_project
from neatd.who import SESSION_VARIABLE
from tests.cli_place import Cli
from tests.mother import Born

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


@asynccontextmanager
async def to_server(cli: Cli, env: dict[str, str], cwd: Path) -> AsyncIterator[Any]:
    """A transport to a server of its own, which has ended behind it."""
    with Born(
        [sys.executable, *ARGUMENTS], cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        # The SDK has one transport over open files, for servers; a client's speaks the same lines.
        async with stdio_server(anyio.wrap_file(process.stdout), anyio.wrap_file(process.stdin)) as (read, write):
            yield read, write
            read.close()
            write.close()
            process.stdin.close()
            await anyio.to_thread.run_sync(process.wait, 30)


def with_tools(
    cli: Cli, use: Callable[[Tools], Awaitable[Any]], *, name: str = "claude-code", cwd: Path | None = None,
    mode: str = "legacy", is_ours: bool = False, **env: str,
) -> Any:  # fmt: skip
    """What `use` returns, having used the tools of a server of its own: a child of this process where it `is_ours`."""
    whole, folder = environment(cli) | env, cwd or cli.root

    async def run() -> Any:
        ours = StdioServerParameters(command=sys.executable, args=ARGUMENTS, env=whole, cwd=folder)
        server = ours if is_ours else to_server(cli, whole, folder)
        async with Client(server, client_info=Implementation(name=name, version="1"), mode=mode) as client:
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
    begin = subprocess.Popen if options else Born
    process = begin(
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
