"""The socket in front of an embedded cluster: HTTP/1.1 over TLS, with a bearer token.

One thread and one event loop own the cluster.  Every request is handled as a whole inside the loop; what it sets off is
done after its answer has been sent, and before the next request is looked at, as if the components were elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import socket
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web

from autograder.controlplane.apimachinery.errors import BadRequest, Forbidden, InternalError, StatusError
from autograder.controlplane.apimachinery.wire import ADMIN, Request, Response, User
from autograder.controlplane.fronts import aging, certificates, http, kubeconfig, pacing, streams
from autograder.controlplane.fronts.connections import Server
from autograder.controlplane.fronts.control import PREFIX, Control
from autograder.controlplane.fronts.watches import Watches, untimed
from autograder.controlplane.kube_apiserver.authorization.authorizer import MASTERS
from autograder.controlplane.kube_apiserver.impersonation import AUTHENTICATED

HOST: Final = "127.0.0.1"
_READING: Final = ("GET", "HEAD")
_HEADER_LIMIT: Final = 64 * 1024
_KEEP_ALIVE: Final = 120.0
_SHUTDOWN_SECONDS: Final = 5.0

log = logging.getLogger(__name__)


class Cluster(pacing.Cluster, Protocol):
    """What the socket asks of a cluster."""

    def handle(self, request: Request) -> Response:
        """Answer one request."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server can be reached, and by what it is known."""

    url: str
    token: str
    authority: bytes | None

    def kubeconfig(self) -> dict[str, object]:
        """The document that kubectl reads."""
        return kubeconfig.document(self.url, self.token, self.authority)


class SocketFront:
    """Serves one cluster at one port until ``close``.

    ``port`` 0 picks a free one.  Whoever shows ``token`` is the administrator, and nobody else is let in.  ``mode``
    says what makes the cluster's time pass.  ``tls=False`` leaves TLS away; kubectl then sends no token, so that it
    stands in the address, as the first part of every path.  ``control`` answers what no Kubernetes API has.
    """

    def __init__(
        self,
        cluster: Cluster,
        token: str,
        *,
        port: int = 0,
        mode: pacing.Mode = "wall",
        tls: bool = True,
        control: Control | None = None,
    ) -> None:
        self._cluster = cluster
        self._token = token
        self._prefix = f"/{token}"
        self._control = control
        self._port = port
        self._certificates = certificates.issue([HOST, "::1", "localhost", socket.gethostname()]) if tls else None
        self.watches = Watches()
        self.pacing = pacing.Pacing(cluster, mode, self.watches.notify)
        self._connections = streams.Connections(self._handle, self.watches, self.pacing)
        self._runner: web.ServerRunner | None = None
        self._pacer: asyncio.Task[None] | None = None

    async def start(self) -> Address:
        """Begin to serve. Raises ``OSError`` when the port is taken."""
        server = Server(
            self._serve,
            handler_cancellation=True,
            keepalive_timeout=_KEEP_ALIVE,
            max_line_size=_HEADER_LIMIT,
            max_field_size=_HEADER_LIMIT,
            access_log=None,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
        await self._runner.setup()
        context = self._certificates.server_context() if self._certificates else None
        site = web.TCPSite(self._runner, HOST, self._port, ssl_context=context, backlog=1024)
        await site.start()
        self._pacer = asyncio.create_task(self.pacing.run(), name="pacing")
        port = self._runner.addresses[0][1]
        if self._certificates is None:
            return Address(f"http://{HOST}:{port}{self._prefix}", self._token, None)
        return Address(f"https://{HOST}:{port}", self._token, self._certificates.authority)

    async def failed(self) -> None:
        """Return never, unless time has stopped because a component failed; then raise what it raised."""
        assert self._pacer is not None
        await asyncio.shield(self._pacer)

    async def close(self) -> None:
        """End the watches, finish what is being answered, and let the port go."""
        self.watches.close()
        if self._pacer:
            self._pacer.cancel()
            await asyncio.gather(self._pacer, return_exceptions=True)
        if self._runner:
            await self._runner.cleanup()

    async def _serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        try:
            request = await http.read(incoming, self._user(incoming))
            if self._knows_address(incoming):
                request.path = request.path[len(self._prefix) :]
            self.pacing.catch_up()
            if streams.is_connection(request):
                self.pacing.changed()
                return await self._connections.serve(incoming, request)
            if streams.is_followed_log(request):
                return await streams.follow(incoming, request, self._handle, self.watches)
        except StatusError as error:
            return http.refused(error)
        response = await self._answer(incoming, request)
        if response.stream is not None:
            return await self.watches.serve(incoming, request, response, self.pacing)
        answer = http.written(request, response)
        try:
            await answer.prepare(incoming)
            await answer.write_eof()
        finally:
            if request.method not in _READING:
                self.pacing.settle()
        return answer

    async def _answer(self, incoming: web.BaseRequest, request: Request) -> Response:
        """The answer, by whom the request is for."""
        if self._control and request.path.startswith(PREFIX):
            if request.user is None or MASTERS not in request.user.groups:
                denied = Forbidden(f'forbidden: only the administrator may use path "{request.path}"')
                return Response(denied.code, denied.status(), error=denied)
            return self._control.handle(request)
        if request.method not in _READING:
            self.pacing.changed()
            if aging.restarts(request):
                self._cluster.advance(aging.RESTART_SECONDS)
                request.body = aging.restarted(request.body, now=self._cluster.clock.now)
            return self._handle(request)
        if request.flag("watch") or request.user is None:
            return self._handle(untimed(request))
        response = self.pacing.answer(request, _client(incoming, request), self._handle)
        return await self._aged(request, response)

    def _handle(self, request: Request) -> Response:
        """The cluster's answer; an error of the cluster's own is an internal one to the client, and logged."""
        try:
            return self._cluster.handle(request)
        except Exception as error:
            log.exception("%s %s", request.method, request.path)
            internal = InternalError.because(f"{type(error).__name__}: {error}")
            return Response(internal.code, internal.status(), error=internal)

    async def _aged(self, request: Request, response: Response) -> Response:
        """The answer, with events as old by the client's clock as they are by the cluster's."""
        if not aging.applies(request, response.body):
            return response
        if self.pacing.mode == "manual":
            await asyncio.sleep(aging.pause(time.time()))
        response.body = aging.moved(response.body, now=self._cluster.clock.now, wall=time.time())
        return response

    def client_certificate(self, user: str, groups: Sequence[str] = ()) -> tuple[bytes, bytes]:
        """A certificate and key, as PEM, by which a client is a user. Raises ``BadRequest`` without TLS."""
        if self._certificates is None:
            raise BadRequest("certificates are of no use without TLS")
        return self._certificates.client(user, groups)

    def _user(self, incoming: web.BaseRequest) -> User | None:
        """Whom a certificate names; the administrator, if the token or the address is his; else None.

        What other tokens are worth, and what somebody without any may do, the API server decides.
        """
        user = _certified(incoming)
        if user is not None:
            return user
        scheme, _, token = incoming.headers.get("Authorization", "").partition(" ")
        if self._knows_address(incoming):
            return ADMIN
        known = scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token.encode())
        return ADMIN if known else None

    def _knows_address(self, incoming: web.BaseRequest) -> bool:
        """Whether somebody without TLS asks at the address that only the administrator was told."""
        shown = incoming.path[: len(self._prefix) + 1].encode("utf-8", "replace")
        return self._certificates is None and hmac.compare_digest(shown, f"{self._prefix}/".encode())


def _certified(incoming: web.BaseRequest) -> User | None:
    """The user whom a verified certificate names: the common name, in groups by the names of organizations."""
    tls = incoming.transport.get_extra_info("ssl_object") if incoming.transport else None
    shown = tls.getpeercert() if tls else None
    if tls is None or not shown:
        return None
    names = [pair for part in shown["subject"] for pair in part]
    user = next((value for name, value in names if name == "commonName"), "")
    groups = tuple(value for name, value in names if name == "organizationName")
    fingerprint = hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest()
    extra = {"authentication.kubernetes.io/credential-id": (f"X509SHA256={fingerprint}",)}
    return User(user, (*groups, AUTHENTICATED), extra=extra) if user else None


def _client(incoming: web.BaseRequest, request: Request) -> Hashable:
    """What tells clients apart: a run of kubectl, else the connection."""
    return request.headers.get("kubectl-session") or id(incoming.transport)
