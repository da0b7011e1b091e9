"""The control of a cluster that has none of its own: what ``fronts.control`` is to an embedded cluster, for the others.

A small server on loopback answers to the same paths.  Its address stands in the kubeconfig that ``cluster serve``
writes, as an extension that kubectl keeps and does not look at, so that this file alone is enough to control a cluster.

What a kind of cluster cannot do is answered with 501, and a sentence that says so.
"""

from __future__ import annotations

import hmac
import json
import math
import os
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from autograder.clusters.interface import ClusterError, NotSupportedHere, Object
from autograder.clusters.loopback import Handler, LoopbackServer
from autograder.controlplane.apimachinery.errors import (
    BadRequest,
    Forbidden,
    InternalError,
    NotFound,
    NotImplemented501,
    StatusError,
)
from autograder.controlplane.fronts.control import PREFIX, fields_of, text_of

#: The name of the extension in a kubeconfig.
EXTENSION: Final = "autograder.control"
#: Seconds of real time that one request lets pass at most: whoever asks for more is told how much it was.
MOST_SECONDS: Final = 60.0
_BODY_LIMIT: Final = 64 * 1024


class Controlled(Protocol):
    """A cluster as its control sees it.

    Methods raise ``ClusterError``, ``NotSupportedHere`` and, for unknown names, ``ValueError``.
    """

    spec: str

    def running(self) -> list[str]:
        """The components that are known to run."""

    def stopped(self) -> list[str]:
        """The components that were stopped here."""

    def advance(self, seconds: float) -> float:
        """Let time pass; how many seconds it was."""

    def settle(self) -> bool:
        """Wait until nothing changes any more; whether it came to that."""

    def stop(self, target: str) -> None:
        """Stop a component."""

    def start(self, target: str) -> None:
        """Start it again."""

    def power_off(self, target: str) -> None:
        """Cut the power of a node."""

    def power_on(self, target: str) -> None:
        """Give it back."""

    def command(self, node: str, line: str) -> dict[str, Any]:
        """Run a command line on a node: ``stdout``, ``stderr`` and ``code``."""

    def now(self) -> str:
        """The time there, as Kubernetes writes it."""


class Controls:
    """Serves the control of a cluster from now until ``close``; whoever asks for its end calls ``shut_down``."""

    def __init__(self, cluster: Controlled, shut_down: Callable[[], None]) -> None:
        self._cluster = cluster
        self._shut_down = shut_down
        self._token = secrets.token_urlsafe(32)
        self._acting = threading.Lock()
        self._server = LoopbackServer(_Handler, self, "controls")

    def extended(self, kubeconfig: Object) -> Object:
        """A kubeconfig that says where this control is; ``kubeconfig`` has one cluster."""
        address = {"server": self._server.url, "token": self._token}
        first, *others = kubeconfig["clusters"]
        cluster = {**first["cluster"], "extensions": [{"name": EXTENSION, "extension": address}]}
        return {**kubeconfig, "clusters": [{**first, "cluster": cluster}, *others]}

    def close(self) -> None:
        """Let the port go."""
        self._server.close()

    def answer(self, method: str, path: str, token: str, body: bytes) -> dict[str, Any]:
        """The answer to one request.  Raises ``StatusError``."""
        if not hmac.compare_digest(token.encode("utf-8", "replace"), f"Bearer {self._token}".encode()):
            raise Forbidden("this address is not for you")
        if not path.startswith(PREFIX):
            raise NotFound.path()
        try:
            return self._answer(method, path.removeprefix(PREFIX), fields_of(body))
        except NotSupportedHere as absent:
            raise NotImplemented501(str(absent)) from absent
        except ValueError as error:
            raise BadRequest(str(error)) from error
        except ClusterError as error:
            raise InternalError(str(error)) from error

    def _answer(self, method: str, name: str, fields: Object) -> dict[str, Any]:
        cluster = self._cluster
        done: dict[str, Any] = {}
        match method, name:
            case "GET", "cluster":
                pass
            case "POST", "advance":
                done = {"passed": cluster.advance(_seconds(fields.get("seconds")))}
            case "POST", "settle":
                done = {"quiet": cluster.settle()}
            case "POST", "stop" | "start" | "power_off" | "power_on":
                act = {
                    "stop": cluster.stop, "start": cluster.start,
                    "power_off": cluster.power_off, "power_on": cluster.power_on,
                }[name]  # fmt: skip
                with self._acting:
                    act(text_of(fields, "target"))
            case "POST", "node":
                with self._acting:
                    return cluster.command(text_of(fields, "target"), text_of(fields, "command"))
            case "POST", "shutdown":
                self._shut_down()
            case ("GET", "saved") | ("POST", "writes" | "decision" | "trace"):
                raise NotImplemented501(_INSIDE[name])
            case _:
                raise NotFound.path()
        return {**self._state(), **done}

    def _state(self) -> dict[str, Any]:
        return {
            "now": self._cluster.now(), "running": self._cluster.running(), "stopped": self._cluster.stopped(),
            "pid": os.getpid(), "cluster": self._cluster.spec,
        }  # fmt: skip


#: What can only be seen from inside of a control plane of our own.
_INSIDE: Final = {
    "saved": "only an embedded cluster can be saved",
    "writes": "the writes to etcd are kept by the embedded cluster only; no Kubernetes API tells them",
    "decision": "the table of the scheduler is kept by the embedded cluster only; no Kubernetes API tells it",
    "trace": "the way of a request can be followed in the embedded cluster only",
}


class _Handler(Handler[Controls]):
    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        try:
            if not length.isdecimal() or int(length) > _BODY_LIMIT:
                self.close_connection = True
                raise BadRequest(f"at most {_BODY_LIMIT} bytes are read")
            body = self.rfile.read(int(length))
            code, found = 200, self.owner.answer(
                self.command, self.path, self.headers.get("Authorization", ""), body
            )  # fmt: skip
        except StatusError as error:
            code, found = error.code, error.status()
        text = json.dumps(found).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = _serve  # noqa: N815 - names of the base class


def wall_clock() -> str:
    """The time of this machine, as Kubernetes writes it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _seconds(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given) or given < 0:
        raise BadRequest("`seconds` must be a number, and not less than 0")
    return float(given)
