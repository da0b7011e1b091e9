"""A cluster of a few lines, so that the fronts are tested apart from the control plane."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

from autograder.controlplane.apimachinery.wire import Object, Request, Response, WatchEvent
from autograder.controlplane.clock import Clock
from autograder.controlplane.fronts.pacing import Mode
from autograder.controlplane.fronts.socket import Address, SocketFront

TOKEN = "a-token"


class Stream:
    """A watch whose events a test puts in."""

    ended = False

    def __init__(self, *events: WatchEvent) -> None:
        self.events = list(events)

    def waiting(self) -> bool:
        return bool(self.events)

    def poll(self) -> list[WatchEvent]:
        taken, self.events = self.events, []
        return taken


class FakeCluster:
    """Answers by ``answers`` (path -> response), and tells each stream of every timer that goes off."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.requests: list[Request] = []
        self.answers: dict[str, Callable[[Request], Response]] = {}
        self.streams: list[Stream] = []
        self.settled = 0
        self.fired: list[Any] = []

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        if request.flag("watch"):
            self.streams.append(Stream(WatchEvent("ADDED", named("first"))))
            return Response(200, stream=self.streams[-1])
        answer = self.answers.get(request.path)
        return answer(request) if answer else Response(200, {"kind": "Echo", "metadata": {}, "path": request.path})

    def settle(self) -> None:
        self.settled += 1
        while timer := self.clock.pop_due():
            self.fired.append(timer.key)
            for stream in self.streams:
                stream.events.append(WatchEvent("MODIFIED", named(str(timer.key))))

    def advance(self, seconds: float) -> None:
        self.run_to(self.clock.now + round(seconds * 1_000_000))

    def run_to(self, due: int) -> None:
        while (timer := self.clock.next_due()) is not None and timer <= due:
            self.clock.now = max(self.clock.now, timer)
            self.settle()
        self.clock.now = max(self.clock.now, due)


def named(name: str) -> Object:
    return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "uid": name, "resourceVersion": "1"}}


def serving(
    cluster: Any, scenario: Callable[[Address, SocketFront], Coroutine[Any, Any, None]], mode: Mode = "manual"
) -> None:
    """Run a scenario against a front of its own, and fail if it takes long."""

    async def run() -> None:
        front = SocketFront(cluster, TOKEN, mode=mode)
        address = await front.start()
        try:
            async with asyncio.timeout(120):
                await scenario(address, front)
        finally:
            await front.close()

    asyncio.run(run())


def trusting(address: Address) -> ssl.SSLContext:
    """The TLS settings of a client that trusts the server's authority and nobody else."""
    assert address.authority is not None
    return ssl.create_default_context(cadata=address.authority.decode())
