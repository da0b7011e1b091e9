"""What of the kubelets' API is more than a question and an answer: upgraded connections, and logs that are followed.

Each has a thread of its own, which looks now for what the client has sent, now for what a container has printed.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from autograder.controlplane.fronts import spdy

#: Seconds between two looks at what a container has printed.
LOOK: Final = 0.05
_FOLLOW_LOOK: Final = 0.2
#: Seconds for a client to open its streams, to leave when all is said, or to take what is sent to it.
PATIENCE: Final = 30.0
LEAVING: Final = 5.0
#: Seconds for which a client may stay, as on a kubelet that is set up by kubeadm.
LONGEST: Final = 4 * 3600.0
_PIECE: Final = 64 * 1024
_END: Final = b"0\r\n\r\n"


class Session(Protocol):
    """One client; ``feed`` takes in its bytes, or none, and gives what is to be sent."""

    @property
    def over(self) -> bool:
        """Whether all is said."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What is to be sent for more bytes; raises ``spdy.ProtocolError``."""

    @property
    def is_complete(self) -> bool:
        """Whether the client has said what it wants."""

    def leave(self) -> None:
        """The client has gone."""


def carry(connection: socket.socket, session: Session, protocol: str, ending: threading.Event) -> None:
    """Answer a request for an upgrade to SPDY, and serve the client until either has no more to say."""
    connection.settimeout(PATIENCE)
    connection.sendall(_upgraded(protocol))
    begun = time.monotonic()
    try:
        while not session.over and not ending.is_set():
            waited = time.monotonic() - begun
            if waited > (LONGEST if session.is_complete else PATIENCE):
                return
            data = _received(connection, LOOK)
            if data == b"":
                return
            for answer in session.feed(data or b""):
                connection.sendall(answer)
        _let_go(connection)
    except spdy.ProtocolError:
        return
    finally:
        session.leave()


def follow(
    connection: socket.socket, first: str, whole: Callable[[], str], ended: Callable[[], bool], ending: threading.Event
) -> None:
    """Send ``first``, then what is added to the ``whole`` log, until its container has ended or the client leaves."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.settimeout(PATIENCE)
    connection.sendall(head.encode() + _chunk(first.encode()))
    sent = len(whole().encode())
    until = time.monotonic() + LONGEST
    while not ending.is_set() and time.monotonic() < until:
        over = ended()
        log = whole().encode()
        connection.sendall(_chunk(log[sent:]))
        sent = max(sent, len(log))
        if over:
            connection.sendall(_END)
            return
        if _received(connection, _FOLLOW_LOOK) == b"":
            return


def _received(connection: socket.socket, seconds: float) -> bytes | None:
    """What a client has sent; None if that is nothing yet, and no bytes if it has left."""
    connection.settimeout(seconds)
    try:
        return connection.recv(_PIECE)
    except TimeoutError:
        return None
    finally:
        connection.settimeout(PATIENCE)


def _let_go(connection: socket.socket) -> None:
    """Wait until a client that has heard everything leaves: what is closed before may be lost to it."""
    end = time.monotonic() + LEAVING
    with contextlib.suppress(OSError):
        while time.monotonic() < end and _received(connection, LOOK) != b"":
            pass


def _upgraded(protocol: str) -> bytes:
    return (
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
        f"X-Stream-Protocol-Version: {protocol}\r\n\r\n"
    ).encode()


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n" if data else b""
