"""kube-apiserver: a function from requests to responses, over a store.

A request passes the steps of the real server in their order: who asks, what is asked, may they, then the handler of
the verb.  Every exception of the API ends here as a ``Status``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

from autograder.controlplane.apimachinery.errors import (
    MethodNotAllowed,
    NotFound,
    NotImplemented501,
    ServiceUnavailable,
    StatusError,
    StoreError,
)
from autograder.controlplane.apimachinery.scheme import BY_PLURAL, NOT_SERVED, ResourceType
from autograder.controlplane.apimachinery.wire import ANONYMOUS, Request, RequestInfo, Response
from autograder.controlplane.clock import Clock
from autograder.controlplane.etcd import StoreFailure
from autograder.controlplane.kube_apiserver import documents
from autograder.controlplane.kube_apiserver.admission.chain import AdmissionChain
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.compaction import Compactor
from autograder.controlplane.kube_apiserver.handlers import Handlers
from autograder.controlplane.apimachinery.node_connection import NodeConnection
from autograder.controlplane.kube_apiserver.routing import resolve


class APIServer:
    """The API of one cluster.  ``nodes`` gives the way to the kubelets, for logs and exec; None while they are away."""

    name: Final = "kube-apiserver"

    def __init__(self, backend: Backend, nodes: Callable[[], NodeConnection | None]) -> None:
        self.backend = backend
        self.available = True
        self._compactor = Compactor(backend.store, backend.clock, self.name)
        self._handlers = Handlers(backend, AdmissionChain(backend), nodes)

    def fork(self, clock: Clock, nodes: Callable[[], NodeConnection | None]) -> APIServer:
        """The same API over a fork of the store."""
        twin = APIServer(self.backend.fork(clock), nodes)
        twin.available = self.available
        twin._compactor.seen = self._compactor.seen
        return twin

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            return self._handle(request)
        except StatusError as refusal:
            error = refusal
        except StoreFailure as failure:
            error = StoreError(str(failure))
        return Response(error.code, error.status(), error=error)

    def fire(self, key: Hashable) -> None:
        """A timer of the API server has gone off: it is time to forget old history."""
        self._compactor.fire()

    def _handle(self, request: Request) -> Response:
        if not self.available:
            raise ServiceUnavailable("the server is currently unable to handle the request")
        user = request.user or ANONYMOUS
        info = request.info
        if info is None:
            document = documents.answer(request)
            if document is not None:
                return document
            info = resolve(request)
            if info is None:
                raise NotFound.path()
        kind = BY_PLURAL.get((info.group, info.resource))
        if kind is None or kind.version != info.version:
            raise _unserved(info)
        self._check_scope(kind, info)
        return self._handlers.dispatch(request, kind, info, user)

    @staticmethod
    def _check_scope(kind: ResourceType, info: RequestInfo) -> None:
        """A namespaced object is reached through its namespace, and only a namespaced one."""
        if info.subresource and info.subresource.partition("/")[0] not in kind.subresources:
            if info.subresource in ("attach", "portforward", "proxy"):
                raise NotImplemented501(f"{kind.plural}/{info.subresource} is not supported by this control plane")
            raise NotFound.path()
        if info.verb not in (*kind.verbs, "connect") and not info.subresource:
            raise MethodNotAllowed("the server does not allow this method on the requested resource", details={})
        if info.namespace and not kind.namespaced and kind.plural != "namespaces":
            raise NotFound.path()
        if kind.namespaced and not info.namespace and (info.name or info.verb == "create"):
            if info.verb in ("create", "deletecollection") or info.name:
                raise MethodNotAllowed("the server does not allow this method on the requested resource", details={})


def _unserved(info: RequestInfo) -> StatusError:
    """Why a resource is not there: Kubernetes has it and this control plane does not, or nobody has it."""
    if info.resource in NOT_SERVED.get((info.group, info.version), ()):
        name = f"{info.resource}.{info.group}" if info.group else info.resource
        return NotImplemented501(f"{name} is part of Kubernetes v1.36 and is not supported by this control plane")
    return NotFound.path()
