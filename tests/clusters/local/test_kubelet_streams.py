"""Upgraded connections and logs that are followed, over a socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from waiting import AMPLE

from autograder.clusters.local import kubelet_streams
from autograder.clusters.local.kubelet_server import _offered
from autograder.clusters.local.kubelet_streams import carry, follow
from autograder.controlplane.fronts import spdy


class Echo:
    """Says what it hears, until that is ``bye``; bytes that begin with a zero are no words of its."""

    def __init__(self, *, complete: bool = True) -> None:
        self.over, self.left, self.is_complete = False, False, complete

    def feed(self, data: bytes) -> Iterator[bytes]:
        if data[:1] == b"\0":
            raise spdy.ProtocolError("what?")
        self.over = data == b"bye"
        yield data

    def leave(self) -> None:
        self.left = True


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        other.settimeout(AMPLE)
        yield one, other


def carrying(server: socket.socket, session: Echo, ending: threading.Event | None = None) -> threading.Thread:
    """Serve as the kubelet does, which closes the connection at the end."""

    def serve() -> None:
        carry(server, session, "v4.channel.k8s.io", ending or threading.Event())
        server.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def heard(client: socket.socket, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        piece = client.recv(1024)
        assert piece, data
        data += piece
    return data


def test_an_upgrade_is_granted_and_the_client_is_served(ends: tuple[socket.socket, socket.socket]) -> None:
    session = Echo()
    thread = carrying(ends[0], session)
    head = heard(ends[1], b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"X-Stream-Protocol-Version: v4.channel.k8s.io" in head
    ends[1].sendall(b"hello")
    assert heard(ends[1], b"hello") == b"hello"
    ends[1].sendall(b"bye")
    assert heard(ends[1], b"bye") == b"bye"
    ends[1].close()
    thread.join(AMPLE)
    assert session.left


@pytest.mark.parametrize("last", [b"", b"\0"])
def test_a_client_that_leaves_or_talks_nonsense_is_left(ends: tuple[socket.socket, socket.socket], last: bytes) -> None:
    session = Echo()
    thread = carrying(ends[0], session)
    ends[1].sendall(last)
    ends[1].shutdown(socket.SHUT_WR)
    thread.join(AMPLE)
    assert session.left
    assert not thread.is_alive()


def test_who_does_not_say_what_it_wants_is_not_waited_for(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubelet_streams, "PATIENCE", 0.1)
    session = Echo(complete=False)
    carrying(ends[0], session).join(AMPLE)
    assert session.left


def test_a_server_that_closes_ends_its_sessions(
    ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubelet_streams, "LEAVING", 0.1)
    ending, session = threading.Event(), Echo()
    thread = carrying(ends[0], session, ending)
    ending.set()
    thread.join(AMPLE)
    assert session.left


def test_a_log_is_followed_to_its_end(ends: tuple[socket.socket, socket.socket]) -> None:
    log = ["one\n"]
    ended = threading.Event()
    arguments = (ends[0], "one\n", lambda: "".join(log), ended.is_set, threading.Event())
    thread = threading.Thread(target=follow, args=arguments, daemon=True)
    thread.start()
    assert b"Transfer-Encoding: chunked" in heard(ends[1], b"4\r\none\n\r\n")
    time.sleep(0.05)
    log.append("two\n")
    assert heard(ends[1], b"\r\n") == b"4\r\ntwo\n\r\n"
    ended.set()
    assert heard(ends[1], b"0\r\n\r\n") == b"0\r\n\r\n"
    thread.join(AMPLE)


@pytest.mark.parametrize(
    ("fields", "protocols"),
    [
        ("Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v5\r\nX-Stream-Protocol-Version: v4", {"v5", "v4"}),
        ("Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v5, v4", {"v5", "v4"}),
        ("Upgrade: websocket\r\nX-Stream-Protocol-Version: v4", set()),
        ("X-Stream-Protocol-Version: v4", set()),
    ],
)
def test_protocols_are_offered_over_spdy(fields: str, protocols: set[str]) -> None:
    assert _offered(f"POST /exec/a/b/c HTTP/1.1\r\n{fields}\r\n\r\n") == protocols
