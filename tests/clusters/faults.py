"""A proxy in front of a served cluster that does to requests what networks, load balancers and busy servers do."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from waiting import AMPLE

#: What is done instead of passing a request on: an HTTP status, or one of these.
RESET, DROP, HANG, LOSE_ANSWER = "reset", "drop", "hang", "lose the answer"
Fault = int | str | None
REASONS = {401: "Unauthorized", 403: "Forbidden", 429: "TooManyRequests", 500: "InternalError",
           503: "ServiceUnavailable", 504: "Timeout"}  # fmt: skip


@dataclass
class Proxy:
    """The proxy: ``fault`` decides by the number of a request, its method and its path; ``passed`` were passed on."""

    config: Path
    fault: Callable[[int, str, str], Fault] = lambda number, method, path: None
    requests: int = 0
    hit: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def after(self, count: int, fault: Fault, times: float = float("inf")) -> None:
        """From the request after ``count`` more on, so many requests meet the fault."""
        begin = self.requests + count
        self.fault = lambda number, method, path: fault if begin <= number < begin + times else None


@contextmanager
def proxied(config: Path, folder: Path) -> Iterator[Proxy]:
    """A proxy for the cluster of a kubeconfig, with a kubeconfig of its own in ``folder``; it speaks plain HTTP."""
    known = yaml.safe_load(config.read_text())
    cluster = known["clusters"][0]["cluster"]
    server = urlsplit(cluster["server"])
    trusted = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    proxy = Proxy(folder / "proxied")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with proxy.lock:
                fault = proxy.fault(proxy.requests, self.command, self.path)
                proxy.requests += 1
                proxy.hit += fault is not None
            if isinstance(fault, int):
                return self.answer(fault, "application/json", json.dumps(status(fault)).encode())
            if fault == HANG:
                proxy.over.wait(AMPLE)
            if fault == LOSE_ANSWER:
                self.ask(body)
            if fault == RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if fault is not None:
                self.close_connection = True
                return None
            return self.answer(*self.ask(body))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def ask(self, body: bytes) -> tuple[int, str, bytes]:
            headers = {key: value for key, value in self.headers.items() if key not in ("Host", "Connection")}
            with contextlib.closing(
                http.client.HTTPSConnection(str(server.hostname), server.port, context=trusted, timeout=60)
            ) as way:
                way.request(self.command, self.path, body or None, headers)
                answer = way.getresponse()
                return answer.status, answer.getheader("Content-Type", ""), answer.read()

        def answer(self, code: int, kind: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as front:
        cluster["server"] = f"http://127.0.0.1:{front.server_address[1]}"
        proxy.config.write_text(yaml.safe_dump(known))
        thread = threading.Thread(target=front.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.over.set()
            front.shutdown()
            thread.join()


def status(code: int) -> dict[str, Any]:
    """What an API server says with a code."""
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
            "reason": REASONS.get(code, ""), "message": "not now"}  # fmt: skip
