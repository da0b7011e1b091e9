"""The tunnels of port-forward: what a client sends to a port of his own goes to a port of a pod.

kubectl opens a websocket that carries SPDY (``SPDY/3.1+portforward.k8s.io``), and in it two streams for each
connection: one for what goes through, one for the error if there is any. The programs of simulated containers speak
HTTP/1.1 or nothing at all. Sources: client-go/tools/portforward, pkg/kubelet/server of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from aiohttp import WSMsgType, web

from autograder.controlplane.apimachinery.node_connection import HttpAnswer, Ports
from autograder.controlplane.fronts import spdy

PROTOCOL: Final = "SPDY/3.1+portforward.k8s.io"
#: Bytes of a request of a client, head and body.
REQUEST_LIMIT: Final = 1024 * 1024
_STREAM_TYPE, _PORT, _REQUEST_ID = "streamtype", "port", "requestid"
_BAD_REQUEST: Final = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def forward(socket: web.WebSocketResponse, ports: Ports, settle: Callable[[], None]) -> None:
    """Carry what goes through a tunnel until the client leaves; ``settle`` lets the cluster do what follows."""
    tunnel = Tunnel(ports)
    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            continue
        try:
            for answer in tunnel.feed(message.data):
                await socket.send_bytes(answer)
        except spdy.ProtocolError as error:
            await socket.close(message=str(error).encode())
        settle()
    await socket.close()


@dataclass(slots=True)
class _Connection:
    """One connection through a tunnel, by the numbers of its two streams."""

    error: int
    port: int
    data: int = 0
    buffer: bytearray = field(default_factory=bytearray)
    over: bool = False


class Tunnel:
    """All connections of one client to one pod, until the client leaves."""

    over: bool = False
    is_complete: bool = True

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._session = spdy.Session()
        self._by_request: dict[str, _Connection] = {}
        self._by_stream: dict[int, _Connection] = {}

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What is to be sent for more bytes of the client; raises ``spdy.ProtocolError``."""
        yield from self._session.answers(data, self._open, self._carry)

    def leave(self) -> None:
        """The client has gone; nothing waits for it."""

    def _open(self, opened: spdy.Opened) -> Iterator[bytes]:
        """The first stream of a connection is for its error, the second for its data."""
        headers = {name.lower(): value for name, value in opened.headers.items()}
        request, kind, port = (headers.get(name, "") for name in (_REQUEST_ID, _STREAM_TYPE, _PORT))
        known = self._by_request.get(request)
        if kind == "error" and known is None and _is_port(port) and len(self._by_request) < spdy.STREAMS_LIMIT:
            self._by_request[request] = _Connection(opened.stream, int(port))
            yield self._session.reply(opened.stream)
        elif kind == "data" and known and not known.data:
            known.data = opened.stream
            self._by_stream[opened.stream] = known
            yield self._session.reply(opened.stream)
            if why := self._ports.refusal(known.port):
                yield from self._end(known, why)
        else:
            yield self._session.reset(opened.stream)

    def _carry(self, received: spdy.Received) -> Iterator[bytes]:
        """Give a pod what a client has sent, and send what the pod answers."""
        connection = self._by_stream.get(received.stream)
        if connection is None:
            return
        connection.buffer += received.data
        while not connection.over and (request := _taken(connection.buffer)):
            answer = self._ports.ask(connection.port, request.method, request.target, request.headers)
            if answer and not request.method:
                yield self._session.send(connection.data, _BAD_REQUEST)
            elif answer:
                yield self._session.send(connection.data, _written(request, answer))
            if not answer or not request.goes_on:
                yield from self._end(connection)
        if not connection.over and (received.ended or len(connection.buffer) > REQUEST_LIMIT):
            yield from self._end(connection)

    def _end(self, connection: _Connection, why: str = "") -> Iterator[bytes]:
        """Close both streams of a connection; the error is said on the one that is for it."""
        connection.over = True
        self._by_stream.pop(connection.data, None)
        self._by_request = {name: one for name, one in self._by_request.items() if one is not connection}
        yield self._session.send(connection.error, why.encode(), end=True)
        yield self._session.send(connection.data, b"", end=True)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536


@dataclass(frozen=True, slots=True)
class _Request:
    """One HTTP request; without a method for what is none."""

    method: str = ""
    target: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    goes_on: bool = False


def _taken(buffer: bytearray) -> _Request | None:
    """The first request of a buffer, which is taken out of it; None while it is not there as a whole."""
    head, separator, _ = bytes(buffer).partition(b"\r\n\r\n")
    if not separator:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
        buffer.clear()
        return _Request()
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 8) or "transfer-encoding" in headers:
        buffer.clear()
        return _Request()
    whole = len(head) + len(separator) + int(length)
    if len(buffer) < whole:
        return None
    del buffer[:whole]
    wish = headers.get("connection", "").lower()
    goes_on = wish != "close" and (words[2] == "HTTP/1.1" or wish == "keep-alive")
    return _Request(words[0], words[1], headers, goes_on)


def _written(request: _Request, answer: HttpAnswer) -> bytes:
    body = answer.body.encode()
    head = (
        f"HTTP/1.1 {answer.status} {answer.reason}\r\nContent-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if request.goes_on else 'close'}\r\n\r\n"
    )
    return head.encode("latin-1", "replace") + (b"" if request.method == "HEAD" else body)
