"""A small HTTP server on loopback, in threads of its own."""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Generic, TypeVar

HOST: Final = "127.0.0.1"
#: Seconds between two looks whether the server is to end.
_LOOK: Final = 0.05

Owner = TypeVar("Owner")


class Handler(BaseHTTPRequestHandler, Generic[Owner]):
    """One connection; ``owner`` is what the server was made for."""

    protocol_version = "HTTP/1.1"

    def __init__(self, owner: Owner, *given: Any) -> None:
        self.owner = owner
        super().__init__(*given)

    def handle(self) -> None:
        """Serve until either end has enough; a client that leaves is nothing to report."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *words: object) -> None:
        """Nobody reads it."""


class LoopbackServer:
    """Serves from now until ``close``; port 0 picks a free one.  Raises ``OSError`` when the port is taken."""

    def __init__(self, handler: type[Handler[Owner]], owner: Owner, name: str, port: int = 0) -> None:
        self._server = ThreadingHTTPServer((HOST, port), partial(handler, owner))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(_LOOK,), name=name, daemon=True).start()

    def close(self) -> None:
        """Let the port go."""
        self._server.shutdown()
        self._server.server_close()
