"""Open watches: each client gets the events of its stream, one JSON document a line, as they come.

Nothing is queued for a client that does not read: the events stay in the store's history until he does, and he is
dropped when he takes too long.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from aiohttp import web

from autograder.controlplane.apimachinery.wire import Request, Response, WatchEvent
from autograder.controlplane.fronts.http import encode, headers_of
from autograder.controlplane.fronts.pacing import Pacing

#: How long a client may leave what was sent to him unread, in seconds.
STALLED: Final = 30.0
#: How long a watch stays open when the client did not say, and at most.
_DEFAULT_SECONDS: Final = 1800.0
_MOST_SECONDS: Final = 24 * 3600.0
_NAME_SELECTOR: Final = "metadata.name="
#: Commands that look on; they have a watch open, and wait for nothing.
_ONLOOKERS: Final = ("kubectl get", "kubectl events")


class Watches:
    """The watches that are open."""

    def __init__(self, stalled: float = STALLED) -> None:
        self._stalled = stalled
        self._open: dict[asyncio.Event, Callable[[], bool]] = {}
        self.closing = False

    def __len__(self) -> int:
        return len(self._open)

    def notify(self) -> None:
        """Something may have happened: wake whoever has something to be told."""
        for woken, waiting in self._open.items():
            if waiting():
                woken.set()

    def close(self) -> None:
        """End every watch, as a server that goes away does."""
        self.closing = True
        for woken in self._open:
            woken.set()

    @contextmanager
    def listening(self, waiting: Callable[[], bool]) -> Iterator[asyncio.Event]:
        """An event that is set whenever something has happened and ``waiting`` says that it matters."""
        woken = asyncio.Event()
        self._open[woken] = waiting
        try:
            yield woken
        finally:
            del self._open[woken]

    async def serve(
        self, http: web.BaseRequest, request: Request, response: Response, pacing: Pacing
    ) -> web.StreamResponse:
        """Send events until the client leaves, his time is over, or the stream ends."""
        stream = response.stream
        assert stream is not None
        answer = web.StreamResponse(status=response.code, headers=headers_of(response))
        answer.enable_chunked_encoding()
        waiter = pacing.wait() if waits(request) else None
        try:
            with self.listening(stream.waiting) as woken:
                await answer.prepare(http)
                deadline = time.monotonic() + _seconds(request)
                more = True
                while more and not self.closing:
                    woken.clear()
                    if events := stream.poll():
                        more = events[-1].type != "ERROR"
                        if not await self.send(http, answer, b"".join(line(event) for event in events)):
                            return answer
                        if waiter and any(event.type != "BOOKMARK" for event in events):
                            pacing.news(waiter)
                    elif not await _until(woken, deadline):
                        break
                await answer.write_eof()
        finally:
            if waiter:
                pacing.done(waiter)
        return answer

    async def send(self, http: web.BaseRequest, answer: web.StreamResponse, data: bytes) -> bool:
        """Send a part of an answer; False when the client does not read and has been dropped."""
        try:
            async with asyncio.timeout(self._stalled):
                await answer.write(data)
        except TimeoutError:
            if http.transport is not None:
                http.transport.abort()
            return False
        return True


def line(event: WatchEvent) -> bytes:
    """One event as a line of JSON."""
    return b'{"type":' + json.dumps(event.type).encode() + b',"object":' + encode(event.object)[:-1] + b"}\n"


def waits(request: Request) -> bool:
    """Whether the client of a watch waits for something to happen to one object."""
    if request.headers.get("kubectl-command", "").startswith(_ONLOOKERS):
        return False
    terms = request.param("fieldSelector").split(",")
    return any(term.startswith(_NAME_SELECTOR) for term in terms)


def untimed(request: Request) -> Request:
    """The request without the time limit of its watch, which whoever holds the connection keeps by the wall clock."""
    if not request.param("timeoutSeconds").isdecimal():
        return request
    return replace(request, query={name: value for name, value in request.query.items() if name != "timeoutSeconds"})


def _seconds(request: Request) -> float:
    """How long a watch may last; what is not a number is the API server's to refuse."""
    asked = request.param("timeoutSeconds")
    return min(float(asked), _MOST_SECONDS) if asked.isdecimal() and asked != "0" else _DEFAULT_SECONDS


async def _until(woken: asyncio.Event, deadline: float) -> bool:
    """Wait for something to be told; False when the deadline comes first."""
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            await woken.wait()
    except TimeoutError:
        return False
    return True
