"""The kubelets' own API, as the real API server reaches it: logs of containers, commands in them, ports of pods.

The addresses of our nodes exist nowhere.  The API server is told to reach nodes through a proxy (its egress selector),
which is a socket in the folder of the run: a CONNECT to ``10.250.0.11:10250`` ends here, at the kubelet of that node,
with the node's own certificate.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from autograder.clusters.interface import ClusterError
from autograder.clusters.local.kubelet_streams import Session, carry, follow
from autograder.clusters.local.nodes import Nodes
from autograder.clusters.local.remote_commands import PROTOCOL, RemoteCommand, Wanted
from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import BadRequest, StatusError
from autograder.controlplane.apimachinery.node_connection import LogOptions
from autograder.controlplane.fronts import forwarding

PORT: Final = 10250
#: Seconds that a client may take to ask.
_PATIENCE: Final = 30.0
#: Characters of a head of a request.
_HEAD_LIMIT: Final = 64 * 1024
_LOGS: Final = re.compile(r"/containerLogs/([^/]+)/([^/]+)/([^/]+)")
_COMMAND: Final = re.compile(r"/(exec|attach)/([^/]+)/([^/]+)(?:/[^/]+)?/([^/]+)")
_PORTS: Final = re.compile(r"/portForward/([^/]+)/([^/]+)(?:/[^/]+)?")
_FORWARDING: Final = "portforward.k8s.io"
#: A container: its node, its namespace, its pod and its name.
_Container = tuple[str, str, str, str]
_REASONS: Final = {
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error",
    502: "Bad Gateway",
}  # fmt: skip


class KubeletServer:
    """Listens at ``path`` from ``start`` to ``close``; ``trust`` gives the TLS settings of a node's kubelet."""

    def __init__(self, path: Path, nodes: Nodes, trust: Callable[[str, str], ssl.SSLContext]) -> None:
        self._path = path
        self._nodes = nodes
        self._trust = trust
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._ending = threading.Event()
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
        """Listen no more, and end what goes on."""
        self._ending.set()
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
                connection.sendall(_plain(502, f"dial tcp {target}: connect: no route to host"))
                return
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._context(node, address).wrap_socket(connection, server_side=True) as secure:
                self._answer(secure, node, _head(secure))

    def _answer(self, connection: ssl.SSLSocket, node: str, head: str) -> None:
        """Serve one request; what is wrong with it is said in the words of the kubelet."""
        method, target, *_ = head.split(" ", 2)
        url = urlsplit(target)
        try:
            if method == "GET" and (match := _LOGS.fullmatch(url.path)):
                namespace, pod, container = map(unquote, match.groups())
                self._tell_log(connection, (node, namespace, pod, container), url.query)
            elif session := self._session(node, url.path, url.query):
                protocol = PROTOCOL if isinstance(session, RemoteCommand) else _FORWARDING
                if protocol not in _offered(head):
                    raise BadRequest(f"upgrade request required: SPDY/3.1 with the protocol {protocol}")
                carry(connection, session, protocol, self._ending)
            else:
                connection.sendall(_plain(404, f"the simulated kubelet of {node} does not serve {method} {url.path}"))
        except StatusError as error:
            connection.sendall(_plain(error.code, error.message))
        except ValueError as error:
            connection.sendall(_plain(500, str(error)))

    def _tell_log(self, connection: ssl.SSLSocket, where: _Container, query: str) -> None:
        """Send a log, as it is now or as it is written."""
        asked = _asked(query)
        text = self._nodes.logs(*where, _options(asked))
        if asked.get("follow") != "true":
            connection.sendall(_plain(200, text))
            return
        whole = LogOptions(timestamps=asked.get("timestamps") == "true")
        follow(connection, text, lambda: self._nodes.logs(*where, whole), self._nodes.watched(*where), self._ending)

    def _session(self, node: str, path: str, query: str) -> Session | None:
        """What a client of a container or of ports of a pod talks to; raises ``StatusError`` and ``ValueError``."""
        if ports := _PORTS.fullmatch(path):
            namespace, pod = map(unquote, ports.groups())
            return forwarding.Tunnel(self._nodes.ports(node, namespace, pod))
        match = _COMMAND.fullmatch(path)
        if match is None:
            return None
        what, namespace, pod, container = map(unquote, match.groups())
        where = (node, namespace, pod, container)
        wanted, command = Wanted.of(_asked(query)), parse_qs(query, keep_blank_values=True).get("command", [])
        attached = self._nodes.attach(*where)  # which says what is wrong with the container, for commands too
        if what == "attach":
            return RemoteCommand(wanted, terminal=attached, attached=True)
        shell = self._nodes.shell(*where, command) if wanted.tty and wanted.stdin else None
        return RemoteCommand(wanted, lambda stdin: self._nodes.exec(*where, command, stdin), shell)

    def _context(self, node: str, address: str) -> ssl.SSLContext:
        if node not in self._contexts:
            self._contexts[node] = self._trust(node, address)
        return self._contexts[node]


def _asked(query: str) -> dict[str, str]:
    """The parameters of a request, each by its first value."""
    return {name: values[0] for name, values in parse_qs(query).items()}


def _offered(head: str) -> set[str]:
    """The protocols of streams that a client offers over SPDY; none if it does not ask for an upgrade to that."""
    fields = [line.partition(":") for line in head.lower().splitlines()[1:]]
    if not any(name == "upgrade" and value.strip() == "spdy/3.1" for name, _, value in fields):
        return set()
    lists = (value.split(",") for name, _, value in fields if name == "x-stream-protocol-version")
    return {one.strip() for row in lists for one in row}


def _options(asked: Mapping[str, str]) -> LogOptions:
    """What of a log is asked for; raises ``ValueError`` for what is no number or time."""

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


def _plain(code: int, text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 {code} {_REASONS.get(code, 'Error')}\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
