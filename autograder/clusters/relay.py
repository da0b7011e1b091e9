"""A way for kubectl to a cluster of ours, at an address of this process, on which every request is looked at first.

kubectl speaks plain HTTP to it, and the relay TLS to the API server, with the credentials of the cluster's kubeconfig:
so that no answer sees them or where the cluster is.  Nobody gets through who does not know the secret in the address.
"""

from __future__ import annotations

import hmac
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from autograder.clusters.interface import Object
from autograder.clusters.loopback import Handler, LoopbackServer
from autograder.clusters.translation import Translation
from autograder.clusters.tunnel import join
from autograder.clusters.upstream import Upstream
from autograder.controlplane.apimachinery.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    NotImplemented501,
    RequestEntityTooLarge,
    StatusError,
)
from autograder.controlplane.apimachinery.scheme import RESOURCES
from autograder.controlplane.apimachinery.wire import Request
from autograder.controlplane.fronts import kubeconfig
from autograder.controlplane.kube_apiserver.parsing import PROTOBUF, parse

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

_LONGEST_LINE: Final = 1024
#: Bytes of a request.
BODY_LIMIT: Final = 3 * 1024 * 1024
READING: Final = ("GET", "HEAD")
#: Headers between two neighbours, and those that are ours to set.
_OF_THE_HOP: Final = frozenset(
    (
        "connection",
        "keep-alive",
        "te",
        "transfer-encoding",
        "content-length",
        "host",
        "authorization",
        "accept-encoding",
    )
)
#: Where a path says what it is about, by how it begins: a kind, or ``namespaces`` with the name of one before it.
_KIND_AT: Final = {"api": 3, "apis": 4}
_KNOWN: Final = frozenset((row.group, row.plural) for row in RESOURCES)


class Gate(Protocol):
    """Who decides about requests."""

    def refusal(self, request: Request) -> StatusError | None:
        """Why a request is not passed on; None if it is."""

    def answered(self, request: Request, code: int) -> None:
        """A request that was passed on has been answered."""


class OpenGate:
    """Lets everything through, for one to whom all of a cluster is given."""

    def refusal(self, request: Request) -> StatusError | None:
        """None: nothing is refused."""
        return None

    def answered(self, request: Request, code: int) -> None:
        """Nothing is counted."""


class Relay:
    """Serves until ``close``; ``url`` is what kubectl is told, with the secret in it."""

    def __init__(
        self, kubeconfig: Path, context: str, names: Translation, gate: Gate, token: str, port: int, *,
        tunnels: bool = False,
    ) -> None:  # fmt: skip
        """``names`` are those of nodes; ``tunnels`` lets commands in containers through.

        Raises ``ClusterError`` and ``OSError``.
        """
        self.gate = gate
        self.names = names
        self._tunnels = tunnels
        self.prefix = f"/{token}"
        self._upstream = Upstream(kubeconfig, context)
        self._server = self._served(port)
        self.url = f"{self._server.url}{self.prefix}"

    def ask(self, request: Request) -> BaseHTTPResponse:
        """The API server's answer to a request, to be read; raises ``StatusError``."""
        if refusal := _unknown(request) or self.gate.refusal(request):
            raise refusal
        answer = self._upstream.ask(request.method, *self.inward(request))
        self.gate.answered(request, answer.status)
        return answer

    def tunnel(self, request: Request) -> socket.socket:
        """A connection to the API server on which an upgrade has been asked for; raises ``StatusError``."""
        if not self._tunnels:
            raise NotImplemented501("commands are not run in containers here")
        if refusal := self.gate.refusal(request):
            raise refusal
        path, _, headers = self.inward(request)
        return self._upstream.tunnel(request.method, path, headers)

    def outward(self, request: Request, code: int, data: bytes) -> bytes:
        """An answer, or an event of a watch, as the client would have it."""
        text: str = self.names.text_out(data.decode("utf-8", "surrogateescape"))
        return text.encode("utf-8", "surrogateescape")

    def kubeconfig(self, name: str, user: str, namespace: str = "") -> Object:
        """What leads kubectl here: the secret is in the address, so that the user brings nothing."""
        return kubeconfig.document(self.url, "", None, name=name, user=user, namespace=namespace)

    def hang_up(self) -> None:
        """Refuse connections from now on, as an API server does that has ended."""
        self._server.close()

    def pick_up(self) -> None:
        """Serve again, at the same address.  Raises ``OSError`` if somebody has it now."""
        self._server.close()
        self._server = self._served(urlsplit(self._server.url).port or 0)

    def close(self) -> None:
        """Let the port go."""
        self._server.close()
        self._upstream.close()

    def _served(self, port: int) -> LoopbackServer:
        return LoopbackServer(_Handler, self, "relay", port)

    def inward(self, request: Request) -> tuple[str, bytes, dict[str, str]]:
        """Path with query, body and headers, with the real names of nodes and namespaces."""
        parts = [unquote(part) for part in request.path.split("/")]
        at = _KIND_AT.get(parts[1], len(parts)) if len(parts) > 1 else len(parts)
        namespace = ""
        if parts[at : at + 1] == ["namespaces"] and len(parts) > at + 1:
            namespace = parts[at + 1] = self.names.space(parts[at + 1])
            at += 2
        plural = parts[at] if len(parts) > at else ""
        if len(parts) > at + 1:
            parts[at + 1] = self.names.object(plural, namespace, parts[at + 1])
        query = {key: list(values) for key, values in request.query.items()}
        if "fieldSelector" in query:
            query["fieldSelector"] = [self.names.fields_in(text, plural, namespace) for text in query["fieldSelector"]]
        if "command" in query:
            query["command"] = [self.names.text_in(text) for text in query["command"]]
        path = "/".join(quote(part, safe="") for part in parts) + (f"?{urlencode(query, doseq=True)}" if query else "")
        headers = {name: value for name, value in request.headers.items() if name not in _OF_THE_HOP}
        body = bytes(request.body)
        if body:
            body = json.dumps(self.names.inward(value_of(request))).encode()
            if headers.get("content-type", "").startswith(PROTOBUF):
                headers["content-type"] = "application/json"
        headers["accept-encoding"] = "identity"
        if "accept" in headers:  # names cannot be told in what is no text
            kept = [one for one in headers["accept"].split(",") if "vnd.kubernetes.protobuf" not in one]
            headers["accept"] = ",".join(kept) or "application/json"
        return path, body, headers


class _Handler(Handler[Relay]):
    """One connection of kubectl."""

    def _serve(self) -> None:
        from urllib3.exceptions import HTTPError

        try:
            request = self._read()
            if "upgrade" in request.headers:
                self.close_connection = True
                join(self.connection, self.owner.tunnel(request))
                return
            answer = self.owner.ask(request)
        except StatusError as error:
            self._write(error.code, {"Content-Type": "application/json"}, json.dumps(error.status()).encode())
            return
        try:
            headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _OF_THE_HOP]
            if request.flag("watch") or request.flag("follow"):
                self._stream(request, answer, headers)
            else:
                body = self.owner.outward(request, answer.status, answer.read())
                self._write(answer.status, dict(headers), body, headers)
        except (OSError, HTTPError):  # one of both ends has left
            self.close_connection = True
        finally:
            answer.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - names of the base class

    def _read(self) -> Request:
        shown = self.path[: len(self.owner.prefix) + 1].encode("utf-8", "replace")
        if not hmac.compare_digest(shown, f"{self.owner.prefix}/".encode()):
            self.close_connection = True
            raise Forbidden("this address is not for you")
        headers = {name.lower(): ", ".join(self.headers.get_all(name, ())) for name in self.headers}
        url = urlsplit(self.path[len(self.owner.prefix) :])
        body = self._chunks() if "transfer-encoding" in headers else self._piece(headers.get("content-length", "0"), 10)
        return Request(self.command, url.path, parse_qs(url.query, keep_blank_values=True), headers, body)

    def _chunks(self) -> bytes:
        """A body of which nobody knew the length (``kubectl create --raw``)."""
        body = b""
        while piece := self._piece(self.rfile.readline(_LONGEST_LINE).decode("latin-1"), 16, len(body)):
            body += piece
            self.rfile.readline(_LONGEST_LINE)  # the end of the chunk
        while self.rfile.readline(_LONGEST_LINE).strip():
            pass
        return body

    def _piece(self, length: str, base: int, before: int = 0) -> bytes:
        """So many bytes of a body.  Raises ``RequestEntityTooLarge``."""
        try:
            count = int(length.partition(";")[0], base)
        except ValueError:
            count = -1
        if not 0 <= count <= BODY_LIMIT - before:
            self.close_connection = True
            raise RequestEntityTooLarge(f"at most {BODY_LIMIT} bytes are read")
        return self.rfile.read(count)

    def _stream(self, request: Request, answer: BaseHTTPResponse, headers: list[tuple[str, str]]) -> None:
        """Pass on a watch, event by event, or a log as it is written."""
        self.close_connection = True
        self.send_response(answer.status)
        for name, value in (*headers, ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()
        for line in _lines(answer):
            self.wfile.write(self.owner.outward(request, answer.status, line))
            self.wfile.flush()

    def _write(
        self, code: int, fields: dict[str, str], body: bytes, headers: list[tuple[str, str]] | None = None
    ) -> None:
        self.send_response(code)
        for name, value in headers or fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def value_of(request: Request) -> Any:
    """What the body of a request says, as JSON has it.  Raises ``BadRequest``."""
    body, media = bytes(request.body), request.headers.get("content-type", "")
    try:
        return json.loads(body) if "json" in media or not media else parse(body, media)
    except ValueError as error:
        raise BadRequest(f"the body of the request cannot be read: {error}") from error


def _lines(answer: BaseHTTPResponse) -> Iterator[bytes]:
    """The events of a watch, as each comes."""
    rest = b""
    for piece in answer.stream(65536):
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


def _unknown(request: Request) -> StatusError | None:
    """That something of the API is to be changed which no exercise is about, and our own control plane has not."""
    if request.method in READING:
        return None
    match request.path.strip("/").split("/"):
        case ["api", _, "namespaces", _, plural, *_]:
            known = ("", plural) in _KNOWN or plural in ("status", "finalize")
        case ["api", _, plural, *_]:
            known = ("", plural) in _KNOWN
        case ["apis", group, _, "namespaces", _, plural, *_] | ["apis", group, _, plural, *_]:
            known = (group, plural) in _KNOWN
        case _:
            known = False
    return None if known else NotFound("the server could not find the requested resource")
