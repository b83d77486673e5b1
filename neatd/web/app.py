"""The page's application: the guard, then the shells and files, which answer at once, and the API, which takes a second to
load and is loaded while the browser reads the shell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from starlette.applications import Starlette

from neatd.web.guard import Guard
from neatd.web.lately import Lately
from neatd.web.limits import App, Receive, Scope, Send
from neatd.web.page import Page
from neatd.web.pages import SHELL_HANDLERS, routes

THREADS = 6  # that answer: each has its own two connections
_OF_API = ("/api/", "/metrics", "/openapi.json")


def make_app(page: Page) -> App:
    """The whole application behind its guard."""
    api = _Loaded(page)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        api.load()
        yield
        page.close()

    shells = Starlette(routes=routes(), exception_handlers=SHELL_HANDLERS, lifespan=life)
    shells.state.page = page

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and scope["path"].startswith(_OF_API)
        await (api if is_api else shells)(scope, receive, send)

    return Guard(either, lambda: page.token, page.address, page.hosts, page.heard)


class _Loaded:
    """The API, once it is loaded; who asks before waits for it."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._loading: asyncio.Task[App] | None = None

    def load(self) -> None:
        """Begin to load it."""
        self._loading = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> App:
        lately = Lately(await asyncio.to_thread(_imported, self._page))
        assert self._page.hub is not None
        self._page.hub.on_news = lately.forget
        self._page.hub.open()
        return lately

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._loading is not None
        app = await asyncio.shield(self._loading)
        await app(scope, receive, send)


def _imported(page: Page) -> App:
    from neatd.web.api.app import make_api  # most of what the page's process ever loads

    return make_api(page)
