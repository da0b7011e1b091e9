"""kube-apiserver: a function from requests to responses, over a store.

A request passes the steps of the real server in their order: who asks, what is asked, may they, then the handler of
the verb.  Every exception of the API ends here as a ``Status``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Final

from autograder.controlplane.apimachinery.errors import (
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    NotImplemented501,
    ServiceUnavailable,
    StatusError,
    StoreError,
    UnsupportedMediaType,
)
from autograder.controlplane.apimachinery.node_connection import NodeConnection
from autograder.controlplane.apimachinery.scheme import (
    BY_ROUTE,
    NOT_SERVED,
    SUBRESOURCES_NOT_SERVED,
    ResourceType,
    subresource_verbs,
)
from autograder.controlplane.apimachinery.tracing import RequestTrace
from autograder.controlplane.apimachinery.wire import Request, RequestInfo, Response, User
from autograder.controlplane.clock import Clock
from autograder.controlplane.etcd import StoreFailure
from autograder.controlplane.kube_apiserver import bodies, documents, metrics, representation, warnings
from autograder.controlplane.kube_apiserver.admission.chain import AdmissionChain
from autograder.controlplane.kube_apiserver.authentication import Authenticator, signing_key
from autograder.controlplane.kube_apiserver.authorization import Authorizer, action_of
from autograder.controlplane.kube_apiserver.authorization.authorizer import MASTERS
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.chronicle import Chronicle
from autograder.controlplane.kube_apiserver.compaction import Compactor
from autograder.controlplane.kube_apiserver.handlers import Handlers
from autograder.controlplane.kube_apiserver.impersonation import impersonate, wanted_user
from autograder.controlplane.kube_apiserver.patching import APPLY_PATCH, PATCH_TYPES
from autograder.controlplane.kube_apiserver.registry.subresources import CONNECTIONS
from autograder.controlplane.kube_apiserver.routing import resolve
from autograder.controlplane.kube_apiserver.tracing import CountingStore, size

#: What the names of the control plane's own users begin with.  Its components are not authorized: they have all rights
#: that they need, and send most of the requests.
CONTROL_PLANE: Final = "system:"
#: Verbs that need the name of an object; others are for a collection.
_VERBS_OF_OBJECTS: Final = ("get", "update", "patch", "delete")
#: The health checks that fail while the store is away.
_FAILING: Final = ("etcd", "etcd-readiness")

_DELETING: Final = ("delete", "deletecollection")
#: Verbs that write nothing.
_READING: Final = frozenset({"get", "list", "watch"})


class APIServer:
    """The API of one cluster.

    ``nodes`` gives the way to the kubelets, for logs and exec; None while they are away.  ``key`` signs the tokens of
    service accounts.
    """

    name: Final = "kube-apiserver"

    def __init__(
        self, backend: Backend, nodes: Callable[[], NodeConnection | None], *, key: bytes = signing_key(0)
    ) -> None:
        self.backend = backend
        self.available = True
        self.chronicle = Chronicle()
        self._compactor = Compactor(backend.store, backend.clock, self.name)
        self._authenticator = Authenticator(backend, key)
        self._authorizer = Authorizer(backend)
        self._handlers = Handlers(backend, AdmissionChain(backend), nodes, self._authorizer, self._authenticator)

    def fork(self, clock: Clock, nodes: Callable[[], NodeConnection | None]) -> APIServer:
        """The same API over a fork of the store."""
        twin = APIServer(self.backend.fork(clock), nodes, key=self._authenticator.key)
        twin.available = self.available
        twin.chronicle = self.chronicle.fork()
        twin._compactor.seen = self._compactor.seen
        return twin

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            response = self._handle(request)
            response.warnings += warnings.recorded(request.warnings) if request.warnings else ()
            return response
        except StatusError as refusal:
            error = refusal
        except StoreFailure as failure:
            error = StoreError(str(failure))
        if request.trace is not None:
            request.trace.refused(error.message)
        return Response(
            error.code, error.status(), _error_type(request), error=error, warnings=warnings.recorded(request.warnings)
        )

    def trace(self, request: Request) -> tuple[Response, RequestTrace]:
        """Answer one request, and tell each step that it passed and what it cost."""
        trace = RequestTrace()
        store = self.backend.store
        self.backend.store = CountingStore(store, trace.cost)
        try:
            response = self.handle(replace(request, trace=trace))
        finally:
            self.backend.store = store
        trace.cost.bytes_received, trace.cost.bytes_answered = size(request.body), size(response.body)
        trace.enter("answer")
        trace.passed(str(response.code))
        return response, trace

    def fire(self, key: Hashable) -> None:
        """A timer of the API server has gone off: it is time to forget old history."""
        self.chronicle.keep(self.backend.store, self._compactor.seen)
        self._compactor.fire()

    def _handle(self, request: Request) -> Response:
        if not self.available:
            raise ServiceUnavailable("the server is currently unable to handle the request")
        info = request.info or resolve(request)
        user = request.user
        if user is None or not (request.decoded and user.name.startswith(CONTROL_PLANE)):
            user = self._admitted(request, info)
        request.enter("handling")
        if info is None:
            failing = _FAILING if self.backend.store.failure else ()
            document = documents.answer(request, failing) or metrics.answer(request, self.backend)
            return document or documents.nothing(request.path)
        kind = BY_ROUTE.get((info.group, info.version, info.resource))
        if kind is None:
            return _unserved(request, info)
        _check_route(kind, info)
        if request.decoded:
            return self._dispatch(request, kind, info, user)
        if request.method == "HEAD":
            raise MethodNotAllowed.path()
        form = _form(request, info)
        response = self._dispatch(request, kind, info, user)
        if form.media_type == representation.YAML and isinstance(response.body, dict):
            response.content_type = form.media_type
        return response

    def _dispatch(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        """Answer a request about a resource; what it has written is noted."""
        if info.verb in _READING:
            return self._handlers.dispatch(request, kind, info, user)
        store = self.backend.store
        before = store.revision
        try:
            return self._handlers.dispatch(request, kind, info, user)
        finally:
            if store.revision != before:
                self.chronicle.note(store.revision, self.backend.clock.now, user.name)

    def _admitted(self, request: Request, info: RequestInfo | None) -> User:
        """As whom a request goes on: who asks, or whom he impersonates. Raises ``StatusError`` if he may not."""
        request.enter("authentication")
        user = self._authenticator.user_of(request)
        request.passed(user)
        action = action_of(request, info, user)
        wanted = wanted_user(request.headers)
        if wanted is not None:
            request.enter("impersonation")
            user = impersonate(self._authorizer, action, wanted)
            request.passed(user)
            action = replace(action, user=user)
        request.enter("authorization")
        request.passed(self._authorizer.check(action) or f"allowed: {MASTERS} may do everything")
        if info is not None and info.verb == "get" and info.subresource in CONNECTIONS:
            # Whoever opens a connection must be allowed to create it, too.
            self._authorizer.check(replace(action, verb="create"))
        return user


def _check_route(kind: ResourceType, info: RequestInfo) -> None:
    """Whether a kind has such a path and verb. Raises ``NotFound``, ``MethodNotAllowed`` or ``NotImplemented501``."""
    subresource = info.subresource.partition("/")[0]
    if subresource in SUBRESOURCES_NOT_SERVED.get(kind.plural, ()) and not kind.group:
        raise _not_implemented(f"{kind.plural}/{subresource}")
    if subresource and info.subresource not in kind.subresources:
        raise NotFound.path()
    if info.namespace and not kind.namespaced and kind.plural != "namespaces":
        raise NotFound.path()
    everywhere = kind.namespaced and not info.namespace
    if everywhere and info.name:
        raise NotFound.path()
    if info.verb not in (subresource_verbs(subresource) if subresource else kind.verbs):
        raise MethodNotAllowed.path()
    if not subresource and bool(info.name) != (info.verb in _VERBS_OF_OBJECTS) and info.verb != "watch":
        raise MethodNotAllowed.path()
    if everywhere and info.verb not in ("list", "watch"):
        raise MethodNotAllowed.path()


def _form(request: Request, info: RequestInfo) -> representation.Form:
    """The form in which a resource is to be answered; raises ``NotAcceptable`` before anything is looked into."""
    accept = request.headers.get("accept", "")
    if info.subresource in CONNECTIONS:
        return representation.PLAIN
    _check_body_type(request, info)
    produced: tuple[str, ...] = representation.OBJECTS
    if info.verb in ("list", "watch"):
        produced += representation.STREAMS
    elif info.subresource == "log":
        produced = ("text/plain", *produced)
    representation.check_route(accept, produced)
    if info.verb == "watch":
        return representation.negotiate_stream(accept)
    return representation.negotiate(accept, convertible=info.subresource != "log")


def _check_body_type(request: Request, info: RequestInfo) -> None:
    """Raise ``UnsupportedMediaType`` for a patch of a type that there is not, and for options that cannot be read."""
    media_type = request.content_type
    if info.verb == "patch" and media_type not in (*PATCH_TYPES, APPLY_PATCH):
        raise UnsupportedMediaType("415: Unsupported Media Type", details={})
    if info.verb in _DELETING and request.body:
        bodies.media_type(request)


def _error_type(request: Request) -> str:
    """The media type of an error: what the client wants, if that can be had."""
    try:
        return representation.negotiate(request.headers.get("accept", ""), convertible=False).media_type
    except NotAcceptable:
        return representation.PLAIN.media_type


def _not_implemented(name: str) -> NotImplemented501:
    return NotImplemented501(f"{name} is part of Kubernetes v1.36 and is not supported by this control plane")


def _unserved(request: Request, info: RequestInfo) -> Response:
    """The answer where no resource is: Kubernetes has it and this control plane does not, or nobody has it."""
    if info.resource in NOT_SERVED.get((info.group, info.version), ()):
        name = f"{info.resource}.{info.group}" if info.group else info.resource
        raise _not_implemented(name)
    return documents.nothing(request.path)
