"""The kubelets' own API, as the real API server reaches it: logs of containers.

The addresses of our nodes exist nowhere.  The API server is told to reach nodes through a proxy (its egress selector),
which is a socket in the folder of the run: a CONNECT to ``10.250.0.11:10250`` ends here, at the kubelet of that node,
with the node's own certificate.  Commands in containers (exec) are not served.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from autograder.clusters.interface import ClusterError
from autograder.clusters.local.nodes import Nodes
from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.node_connection import LogOptions

PORT: Final = 10250
#: Seconds that a client may take to ask.
_PATIENCE: Final = 30.0
#: Characters of a head of a request.
_HEAD_LIMIT: Final = 64 * 1024
_LOGS: Final = re.compile(r"/containerLogs/([^/]+)/([^/]+)/([^/]+)")
_REASONS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 500: "Internal Server Error", 502: "Bad Gateway"}


class KubeletServer:
    """Listens at ``path`` from ``start`` to ``close``; ``trust`` gives the TLS settings of a node's kubelet."""

    def __init__(self, path: Path, nodes: Nodes, trust: Callable[[str, str], ssl.SSLContext]) -> None:
        self._path = path
        self._nodes = nodes
        self._trust = trust
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def start(self) -> None:
        """Begin to listen; raises ``ClusterError``."""
        try:
            self._socket.bind(str(self._path))
        except OSError as error:
            advice = "set TMPDIR to a folder with a short name"
            raise ClusterError(f"no socket can be made at {self._path} ({error}); {advice}") from error
        self._socket.listen()
        threading.Thread(target=self._accept, name="kubelet server", daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        """One connection: CONNECT to a node, and then requests to its kubelet."""
        with contextlib.suppress(OSError, ValueError), connection:
            connection.settimeout(_PATIENCE)
            method, target, *_ = _head(connection).split(" ", 2)
            address, _, port = target.rpartition(":")
            node = self._nodes.node_at(address) if method == "CONNECT" and port == str(PORT) else ""
            if not node:
                connection.sendall(_answer(502, f"dial tcp {target}: connect: no route to host"))
                return
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._context(node, address).wrap_socket(connection, server_side=True) as secure:
                head = _head(secure)
                secure.sendall(_answer(*self._answer(node, head)))

    def _answer(self, node: str, head: str) -> tuple[int, str]:
        method, target, *_ = head.split(" ", 2)
        url = urlsplit(target)
        match = _LOGS.fullmatch(url.path)
        if method != "GET" or match is None:
            return 404, f"the simulated kubelet of {node} does not serve {method} {url.path}"
        namespace, pod, container = map(unquote, match.groups())
        try:
            return 200, self._nodes.logs(node, namespace, pod, container, _options(url.query))
        except StatusError as error:
            return error.code, error.message
        except ValueError as error:
            return 500, str(error)

    def _context(self, node: str, address: str) -> ssl.SSLContext:
        if node not in self._contexts:
            self._contexts[node] = self._trust(node, address)
        return self._contexts[node]


def _options(query: str) -> LogOptions:
    """What of a log is asked for; raises ``ValueError`` for what is no number or time."""
    asked = {name: values[0] for name, values in parse_qs(query).items()}

    def number(name: str) -> int | None:
        return int(asked[name]) if name in asked else None

    return LogOptions(
        previous=asked.get("previous") == "true", timestamps=asked.get("timestamps") == "true",
        tail_lines=number("tailLines"), since_seconds=number("sinceSeconds"), limit_bytes=number("limitBytes"),
        since_time=timestamps.parse(asked["sinceTime"]) if "sinceTime" in asked else None,
    )  # fmt: skip


def _head(connection: socket.socket) -> str:
    """The head of a request; raises ``ValueError`` for one that is cut off or too long."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(4096)
        head += piece
        if not piece or len(head) > _HEAD_LIMIT:
            raise ValueError("no request")
    return head.decode("latin-1")


def _answer(code: int, text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {code} {_REASONS.get(code, 'Error')}\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
