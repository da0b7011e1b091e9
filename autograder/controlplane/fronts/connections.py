"""aiohttp's server with an end to its patience: it would wait for ever for the first request of a connection."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiohttp import web

#: How long a client may take from connecting to the end of the head of its first request.
FIRST_REQUEST_SECONDS: Final = 60.0


class Server(web.Server):
    """A server that drops connections over which no request comes within ``first_request_seconds``."""

    def __init__(self, *arguments: Any, first_request_seconds: float = FIRST_REQUEST_SECONDS, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.first_request_seconds = first_request_seconds
        self._silent: dict[web.RequestHandler, asyncio.TimerHandle] = {}

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """A client has connected."""
        super().connection_made(handler, transport)
        loop = asyncio.get_running_loop()
        self._silent[handler] = loop.call_later(self.first_request_seconds, transport.abort)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """A client has gone."""
        self._heard(handler)
        super().connection_lost(handler, exc)

    def _make_request(self, message: Any, payload: Any, protocol: web.RequestHandler, *more: Any) -> web.BaseRequest:
        self._heard(protocol)
        return super()._make_request(message, payload, protocol, *more)

    def _heard(self, handler: web.RequestHandler) -> None:
        timer = self._silent.pop(handler, None)
        if timer is not None:
            timer.cancel()
