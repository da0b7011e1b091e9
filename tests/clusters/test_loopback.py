"""The small servers of relays and controls."""

from __future__ import annotations

import socket
import struct
import threading
from urllib.parse import urlsplit

import pytest
from waiting import comes

from autograder.clusters.loopback import Handler, LoopbackServer


class Talker(Handler[threading.Event]):
    """Talks until the other end has left."""

    def do_GET(self) -> None:  # noqa: N802 - the name is of the base class
        try:
            while True:
                self.wfile.write(b"x" * 65536)
        finally:
            self.owner.set()


def test_a_client_that_leaves_is_nothing_to_report(capfd: pytest.CaptureFixture[str]) -> None:
    left, before = threading.Event(), set(threading.enumerate())
    server = LoopbackServer(Talker, left, "talker")
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not an end
    assert left.wait(60)
    assert comes(lambda: not any("process_request" in one.name for one in set(threading.enumerate()) - before))
    server.close()
    assert capfd.readouterr().err == ""
