"""Subresources that are more than a part of their object: binding, eviction, scale, finalize, and what kubelets do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, NamedTuple

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import BadRequest, Invalid, NotFound, NotImplemented501, Unreachable
from autograder.controlplane.apimachinery.field import Path, invalid
from autograder.controlplane.apimachinery.node_connection import NodeConnection
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, Request, RequestInfo, Response, User
from autograder.controlplane.kube_apiserver import bodies, decoding, incoming
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.patching import PATCH_TYPES, Target
from autograder.controlplane.kube_apiserver.registry import options, pod_options
from autograder.controlplane.kube_apiserver.registry.evictions import evict
from autograder.controlplane.kube_apiserver.registry.generic import Registry
from autograder.controlplane.kube_apiserver.registry.namespaces import NamespaceRegistry
from autograder.controlplane.kube_apiserver.registry.pods import PodRegistry
from autograder.controlplane.kube_apiserver.registry.scale import scale_of, scaled
from autograder.controlplane.kube_apiserver.registry.tokens import TokenRequests

#: Subresources that open a connection.
CONNECTIONS: Final = ("attach", "exec", "portforward")
#: Subresources that are objects of their own, which a namespace must let in.
_CREATED: Final = ("binding", "eviction", "token")


class Subresources:
    """The special subresources; ``registry`` gives the registry of a kind."""

    def __init__(
        self, registry: Callable[[ResourceType], Registry], nodes: Callable[[], NodeConnection | None],
        tokens: TokenRequests,
    ) -> None:  # fmt: skip
        self._registry = registry
        self._tokens = tokens
        self._nodes = nodes

    def answer(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response | None:
        """The answer of a special subresource, or None for one that the ordinary verbs serve."""
        attributes = Attributes(
            "UPDATE", kind, info.namespace, info.name, info.subresource, user,
            dry_run=bool(request.query.get("dryRun")), trusted=request.decoded, trace=request.trace,
            warnings=request.warnings,
        )  # fmt: skip
        if info.verb == "create" and info.subresource in _CREATED and not request.decoded:
            self._registry(kind).admission.admit(replace(attributes, operation="CREATE"))
        match info.subresource, info.verb:
            case "binding", "create":
                binding = _body(request, "core/v1.Binding", "Binding", "v1")
                _check_named(request, binding, info.name, "Binding")
                return Response(201, self._pods().bind(attributes, binding))
            case "eviction", "create":
                return self._evict(request, attributes)
            case "log", "get":
                return self._log(request, info)
            case "scale", "update" | "patch":
                return self._scale(request, kind, attributes, info.verb)
            case "finalize", "update":
                namespace = _body(request, "core/v1.Namespace", "Namespace", "v1")
                if not request.decoded:
                    incoming.check_name(namespace, info.name)
                registry = self._registry(kind)
                assert isinstance(registry, NamespaceRegistry)
                finalizers = list(namespace.get("spec", {}).get("finalizers", ()))
                return Response(200, registry.finalize(attributes, finalizers))
            case "exec", _:
                return self._exec(request, info)
            case "attach", _:
                return self._attach(request, info)
            case "portforward", _:
                return self._forward(request, info)
            case "token", "create":
                body = _body(request, "authentication/v1.TokenRequest", "TokenRequest", "authentication.k8s.io/v1")
                return Response(201, self._tokens.answer(info.namespace, info.name, body))
        return None

    def _pods(self) -> PodRegistry:
        registry = self._registry(scheme.PODS)
        assert isinstance(registry, PodRegistry)
        return registry

    def _evict(self, request: Request, attributes: Attributes) -> Response:
        eviction = _body(request, "policy/v1.Eviction", "Eviction", "policy/v1")
        attributes.operation, attributes.subresource = "DELETE", ""
        _check_named(request, eviction, attributes.name, "Eviction")
        delete = options.delete_options(request, eviction.get("deleteOptions", {}))
        attributes.dry_run = attributes.dry_run or delete.dry_run
        return Response(201, evict(self._pods(), attributes, delete))

    def _scale(self, request: Request, kind: ResourceType, attributes: Attributes, verb: str) -> Response:
        def transform(old: Object | None) -> Object:
            assert old is not None
            if verb == "patch":
                scale = _patched_scale(request, scale_of(kind, old))
            else:
                scale = _body(request, "autoscaling/v1.Scale", "Scale", "autoscaling/v1")
            if not request.decoded:
                incoming.adopt_namespace(scale, kind, attributes.namespace)
                incoming.check_name(scale, attributes.name)
            replicas = scale.get("spec", {}).get("replicas", 0)
            if replicas < 0:
                wrong = invalid(Path("spec").child("replicas"), replicas, "must be greater than or equal to 0")
                raise Invalid.on("Scale", "autoscaling", attributes.name, [wrong])
            incoming.check_uid(kind, scale, old, dry_run=attributes.dry_run)
            new = scaled(old, scale)
            incoming.track(request, kind, attributes, new, old, _timeless)
            return new

        stored, _ = self._registry(kind).update(attributes, transform)
        return Response(200, scale_of(kind, stored))

    def _log(self, request: Request, info: RequestInfo) -> Response:
        wanted = pod_options.log_options(request, info.name)
        pod = self._pods().get(info.namespace, info.name)
        container = pod_options.container_of(pod, request.param("container"))
        if not pod["spec"].get("nodeName"):
            return Response(204, "")
        node = self._node(pod)
        query = pod_options.handed_on(request)
        path = "/".join((info.namespace, info.name, container)) + (f"?{query}" if query else "")
        with _calling(f'Get "https://{node.address}:10250/containerLogs/{path}"'):
            log = self._kubelets(node).logs(node.name, info.namespace, info.name, container, wanted)
        return Response(200, log, "text/plain")

    def _exec(self, request: Request, info: RequestInfo) -> Response:
        """Run a command; the answer's body is the ``ExecResult``, which only a stream can carry to a client.

        Of a shell with a terminal, it is the ``Terminal``.
        """
        container, node = self._running(request, info)
        command = request.query.get("command", ())
        if not command:
            raise BadRequest("you must specify at least 1 command for the container")
        where = (node.name, info.namespace, info.name, container)
        with _calling("error dialing backend"):
            kubelets = self._kubelets(node)
            if request.flag("tty") and request.flag("stdin"):
                shell = kubelets.shell(*where, command)
                if shell is not None:
                    return Response(200, shell)
            stdin = request.body.decode("utf-8", "replace") if isinstance(request.body, bytes) else ""
            return Response(200, kubelets.exec(*where, command, stdin))

    def _attach(self, request: Request, info: RequestInfo) -> Response:
        """Connect to a running container; the answer's body is the ``Terminal``, which only a stream can carry."""
        container, node = self._running(request, info)
        with _calling("error dialing backend"):
            return Response(200, self._kubelets(node).attach(node.name, info.namespace, info.name, container))

    def _forward(self, request: Request, info: RequestInfo) -> Response:
        """Reach the ports of a pod; the answer's body is the ``Ports``, which only a stream can carry."""
        pod = self._connected(request, info)
        node = self._node(pod)
        with _calling("error dialing backend"):
            return Response(200, self._kubelets(node).ports(node.name, info.namespace, info.name))

    def _running(self, request: Request, info: RequestInfo) -> tuple[str, _Node]:
        """The container that is meant, of a pod that has a node, and the node."""
        pod = self._connected(request, info)
        return pod_options.container_of(pod, request.param("container")), self._node(pod)

    def _connected(self, request: Request, info: RequestInfo) -> Object:
        """The pod that somebody wants to be connected to."""
        if "dryRun" in request.query:
            raise BadRequest("dryRun is not supported")
        return self._pods().get(info.namespace, info.name)

    def _node(self, pod: Object) -> _Node:
        """Where the kubelet of a pod's node is.

        Raises ``BadRequest`` or ``NotFound`` for a pod without a node, and ``Unreachable`` for one without an address.
        """
        name = pod["spec"].get("nodeName")
        if not name:
            raise BadRequest(f"pod {pod['metadata']['name']} does not have a host assigned")
        try:
            node = self._registry(scheme.NODES).get("", name)
        except NotFound as missing:
            raise NotFound.on(scheme.PODS.plural, "", name) from missing  # so a real server names it
        addresses = node.get("status", {}).get("addresses", ())
        found = next((one["address"] for one in addresses if one["type"] == "InternalIP"), "")
        if not found:
            raise Unreachable("no preferred addresses found; known addresses: []")
        return _Node(node["metadata"]["name"], found)

    def _kubelets(self, node: _Node) -> NodeConnection:
        kubelets = self._nodes()
        if kubelets is None:
            raise Unreachable(f"dial tcp {node.address}:10250: connect: connection refused")
        return kubelets


class _Node(NamedTuple):
    name: str
    address: str


@contextmanager
def _calling(what: str) -> Iterator[None]:
    """Say what was being done when a node did not answer."""
    try:
        yield
    except Unreachable as error:
        raise Unreachable(f"{what}: {error.message}") from error


def _check_named(request: Request, obj: Object, name: str, kind: str) -> None:
    """Raise ``BadRequest`` unless a client's object has the name of the pod that it is about."""
    if not request.decoded and obj["metadata"].get("name") != name:
        raise BadRequest(f"name in URL does not match name in {kind} object")


def _timeless() -> str:
    """When a scale was written: who scales is noted in the workload without a time."""
    return ""


def _patched_scale(request: Request, scale: Object) -> Object:
    """The Scale that a patch makes; it is meant for the newest revision unless the patch names one."""
    media_type = request.content_type
    patch_type = PATCH_TYPES.get(media_type)
    if patch_type is None:
        raise NotImplemented501("server-side apply to a Scale is not supported by this control plane")
    patch = patch_type.decode(request.body) if isinstance(request.body, bytes) else request.body
    given = patch_type.apply(scale, patch, "autoscaling/v1.Scale")
    target = Target("autoscaling/v1.Scale", "Scale", "autoscaling/v1")
    read = patch_type.read(given, patch, target, bodies.field_validation(request))
    request.warnings += read.warnings
    stated = patch.get("metadata") if isinstance(patch, dict) else None
    if "resourceVersion" not in (stated or {}):
        read.object["metadata"]["resourceVersion"] = ""
    return read.object


def _body(request: Request, type_name: str, kind: str, api_version: str) -> Object:
    """The body of a request as an object of a kind."""
    if request.decoded:
        given: Any = request.body
        return {"metadata": {}, **given}
    decoded = decoding.decode(
        request.body, type_name, kind=kind, api_version=api_version, field_validation=bodies.field_validation(request),
        media_type=request.headers.get("content-type", "application/json"),
    )  # fmt: skip
    request.warnings += decoded.warnings
    return decoded.object
