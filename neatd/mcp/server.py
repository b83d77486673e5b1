"""The server: the Model Context Protocol on stdin and stdout, by its official SDK, which only this file imports.

One call at a time, in a thread of its own, so that stdin is read meanwhile. No connection and no lock outlives a call.
Nothing but the protocol reaches stdout: the SDK turns what else is printed to stderr.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sqlite3
from typing import Any

import mcp.types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from neatd import __version__
from neatd.errors import NeatError
from neatd.mcp.caller import caller
from neatd.mcp.leaving import leave, leave_in_time, worker
from neatd.mcp.tools import INSTRUCTIONS, TOOLS, Tool
from neatd.place import neat_home
from neatd.who import assistant_name


def serve() -> None:
    """Serve until stdin ends; then end this process."""
    logging.basicConfig(level=logging.WARNING)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # in a terminal: asyncio would wait for stdin first
    asyncio.run(_serve())


async def _serve() -> None:
    server: Server[Any] = Server(
        "neat", version=__version__, instructions=INSTRUCTIONS, on_list_tools=_list, on_call_tool=_call
    )
    async with stdio_server() as (read, write):
        await server.run(_FromClient(read), write, server.create_initialization_options())
    leave()


class _FromClient:
    """The stream of what the client sends. At its end the process has little time left, whoever still waits: the SDK
    gives a client that reads no more a second for each of its last answers."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __aiter__(self) -> _FromClient:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            leave_in_time()
            raise

    async def __aenter__(self) -> _FromClient:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.aclose()

    async def receive(self) -> Any:
        return await self._stream.receive()

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _list(context: Any, asked: Any) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[_as_protocol(tool) for tool in TOOLS.values()])


def _as_protocol(tool: Tool) -> types.Tool:
    hints = types.ToolAnnotations(
        read_only_hint=tool.is_read_only,
        destructive_hint=None if tool.is_read_only else tool.is_destructive,
        open_world_hint=False,
    )
    return types.Tool(name=tool.name, description=tool.description, input_schema=tool.schema, annotations=hints)


async def _call(context: Any, asked: types.CallToolRequestParams) -> types.CallToolResult:
    told = context.session.client_params
    source = assistant_name(told.client_info.name if told else "")
    return await asyncio.get_running_loop().run_in_executor(worker, _answer, source, asked.name, asked.arguments)


def _answer(source: str, name: str, given: dict[str, Any] | None) -> types.CallToolResult:
    """A tool's answer; what went wrong is an answer too, with what to do."""
    from neatd.mcp.calls import call
    from neatd.pipeline.trouble import of_store, of_system

    try:
        answer = call(caller(source), name, given)
    except NeatError as error:
        return _refused(error)
    except sqlite3.DatabaseError as error:
        return _refused(of_store(neat_home(), error))
    except OSError as error:
        return _refused(of_system(error))
    return types.CallToolResult(content=[_text(answer.text), *(_text(f"note: {note}") for note in answer.notes)])


def _refused(error: NeatError) -> types.CallToolResult:
    return types.CallToolResult(content=[_text(f"error: {error}")], is_error=True)


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)
