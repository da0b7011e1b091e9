"""Whoever asks an etcd that hangs is told so before everybody behind him has given up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytest.importorskip("etcd3gw", reason="the extra `etcd` is not installed")

from autograder.controlplane.etcd import gateway
from autograder.controlplane.etcd.gateway import TIMED_OUT, Gateway
from autograder.controlplane.etcd.store import StoreFailure


class Hanging(ThreadingHTTPServer):
    """Answers every question with nothing, once it may; notes how many came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.may_answer = threading.Event()
        self.asked = 0


class _Handler(BaseHTTPRequestHandler):
    server: Hanging

    def do_POST(self) -> None:
        self.server.asked += 1
        if self.server.may_answer.is_set():
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")
        else:
            self.server.may_answer.wait(60)
            self.close_connection = True

    def log_message(self, *_given: object) -> None:
        """Say nothing."""


@pytest.fixture
def etcd() -> Iterator[Hanging]:
    with Hanging() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.may_answer.set()
        server.shutdown()


@pytest.fixture
def asking(etcd: Hanging, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(gateway, "PATIENCE", 0.5)
    monkeypatch.setattr(gateway, "IMPATIENCE", 0.2)
    made = Gateway("127.0.0.1", etcd.server_port)
    yield made
    made.close()


def refused(asking: Gateway) -> None:
    with pytest.raises(StoreFailure, match=TIMED_OUT):
        asking.ask("/kv/range", {})


def test_only_the_first_waits(etcd: Hanging, asking: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "REST", 3600.0)
    for _ in range(100):
        refused(asking)
    assert etcd.asked == 1


def test_it_is_asked_again_after_a_rest(etcd: Hanging, asking: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "REST", 0.0)
    refused(asking)
    refused(asking)
    assert etcd.asked == 2


def test_once_it_answers_all_is_as_before(etcd: Hanging, asking: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "REST", 0.0)
    monkeypatch.setattr(gateway, "IMPATIENCE", 60.0)
    refused(asking)
    etcd.may_answer.set()
    assert asking.ask("/kv/range", {}) == {}
    monkeypatch.setattr(gateway, "REST", 3600.0)
    assert asking.ask("/kv/range", {}) == {}
