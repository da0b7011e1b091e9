"""The handlers of the verbs: from a request about a resource to the registry, and back to an answer.

How the object of a write gets here is ``incoming``, in which form an answer goes out ``representation``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import (
    Conflict,
    MethodNotAllowed,
    NotFound,
    Unclassified,
    UnsupportedMediaType,
)
from autograder.controlplane.apimachinery.node_connection import NodeConnection
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, Request, RequestInfo, Response, User
from autograder.controlplane.kube_apiserver import bodies, decoding, fieldmanager, incoming, representation, watching
from autograder.controlplane.kube_apiserver.admission.chain import AdmissionChain
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.authentication import Authenticator
from autograder.controlplane.kube_apiserver.authorization import Authorizer
from autograder.controlplane.kube_apiserver.authorization.rbac import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    ROLES,
)
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.patching import APPLY_PATCH, PATCH_TYPES, Target
from autograder.controlplane.kube_apiserver.registry import options, scale, subresources, write_options
from autograder.controlplane.kube_apiserver.registry.component_statuses import ComponentStatusRegistry
from autograder.controlplane.kube_apiserver.registry.events import NEW_EVENTS, NewEventRegistry
from autograder.controlplane.kube_apiserver.registry.generic import MODIFIED, Registry
from autograder.controlplane.kube_apiserver.registry.jobs import JobRegistry
from autograder.controlplane.kube_apiserver.registry.namespaces import NamespaceRegistry
from autograder.controlplane.kube_apiserver.registry.old_autoscalers import OldAutoscalerRegistry
from autograder.controlplane.kube_apiserver.registry.pods import PodRegistry
from autograder.controlplane.kube_apiserver.registry.priority_classes import PriorityClassRegistry
from autograder.controlplane.kube_apiserver.registry.reviews import Reviews
from autograder.controlplane.kube_apiserver.registry.roles import BindingRegistry, RoleRegistry
from autograder.controlplane.kube_apiserver.registry.services import ServiceRegistry
from autograder.controlplane.kube_apiserver.registry.tokens import TokenRequests

_REGISTRIES: Final[dict[ResourceType, type[Registry]]] = {
    scheme.PODS: PodRegistry,
    scheme.SERVICES: ServiceRegistry,
    scheme.NAMESPACES: NamespaceRegistry,
    NEW_EVENTS: NewEventRegistry,
    scheme.JOBS: JobRegistry,
    scheme.PRIORITYCLASSES: PriorityClassRegistry,
    scheme.OLD_HORIZONTALPODAUTOSCALERS: OldAutoscalerRegistry,
    scheme.COMPONENTSTATUSES: ComponentStatusRegistry,
}

#: Kinds that grant something, of which the registry asks who may.
_GUARDED: Final[dict[ResourceType, type[RoleRegistry] | type[BindingRegistry]]] = {
    ROLES: RoleRegistry,
    CLUSTER_ROLES: RoleRegistry,
    ROLE_BINDINGS: BindingRegistry,
    CLUSTER_ROLE_BINDINGS: BindingRegistry,
}

#: The older way to bind a pod, which is named in the body and not in the path.
_BINDINGS = scheme.resource("bindings")

#: Kinds of which a finished deletion answers with the object and not with a Status.
_RETURNED: Final = frozenset({
    scheme.PODS, scheme.SERVICES, scheme.SERVICEACCOUNTS, scheme.RESOURCEQUOTAS, scheme.PERSISTENTVOLUMECLAIMS,
    scheme.PERSISTENTVOLUMES, scheme.resource("podtemplates"), scheme.resource("storageclasses", "storage.k8s.io"),
})  # fmt: skip

#: Kinds that Kubernetes advises against, and its advice, which goes out as a warning.
_DEPRECATED: Final = {
    scheme.COMPONENTSTATUSES: "v1 ComponentStatus is deprecated in v1.19+",
    scheme.ENDPOINTS: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
}

#: How often a patch is tried again when somebody else writes in between.
PATCH_TRIES: Final = 5


class Handlers:
    """The handlers over the state of one cluster."""

    def __init__(
        self, backend: Backend, admission: AdmissionChain, nodes: Callable[[], NodeConnection | None],
        authorizer: Authorizer, authenticator: Authenticator,
    ) -> None:  # fmt: skip
        self._backend = backend
        self._admission = admission
        self._authorizer = authorizer
        self._registries: dict[ResourceType, Registry] = {}
        self._reviews = Reviews(backend, authorizer, authenticator)
        self._subresources = subresources.Subresources(self.registry, nodes, TokenRequests(backend, authenticator))
        self._verbs: dict[str, Callable[[Request, ResourceType, RequestInfo, User], Response]] = {
            "get": self._get,
            "list": self._list,
            "watch": self._watch,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }

    def registry(self, kind: ResourceType) -> Registry:
        """The registry of a kind, made when it is first needed."""
        found = self._registries.get(kind)
        if found is None:
            if kind in _GUARDED:
                found = _GUARDED[kind](kind, self._backend, self._admission, authorizer=self._authorizer)
            else:
                found = _REGISTRIES.get(kind, Registry)(kind, self._backend, self._admission)
            self._registries[kind] = found
        return found

    def dispatch(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        """Answer a request about a resource."""
        if info.subresource:
            if info.verb in write_options.KINDS and info.subresource not in subresources.CONNECTIONS:
                write_options.checked(request, info.verb)
            special = self._subresources.answer(request, kind, info, user)
            if special is not None:
                return special
        verb = self._verbs.get(info.verb)
        if verb is None:
            raise MethodNotAllowed("the server does not allow this method on the requested resource", details={})
        if kind in _DEPRECATED and not request.decoded:
            request.warnings.append(_DEPRECATED[kind])
        return verb(request, kind, info, user)

    # ------------------------------------------------------------ reading

    def _get(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        registry = self.registry(kind)
        registry.check_reached(options.minimum_revision(request))
        obj = registry.get(info.namespace, info.name)
        if info.subresource == "scale":
            obj = scale.scale_of(kind, obj)
        return self._answer(200, request, kind, obj, info.subresource)

    def _list(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        registry = self.registry(kind)
        listed = registry.list(info.namespace, options.list_options(request, registry.field_labels))
        if request.decoded:
            return Response(200, listed)
        form = representation.negotiate(request.headers.get("accept", ""))
        return Response(200, representation.shown_list(form, kind, listed, request, self._backend.clock.now))

    def _watch(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        registry = self.registry(kind)
        if info.name:
            request = replace(request, query={**request.query, "fieldSelector": [f"metadata.name={info.name}"]})
        stream: Any = registry.watch(info.namespace, options.watch_options(request, registry.field_labels))
        if not request.decoded:
            form = representation.negotiate(request.headers.get("accept", ""))
            if form.target:
                clock = self._backend.clock
                stream = representation.ShownStream(stream, form, kind, request, lambda: clock.now)
        if seconds := int(request.param("timeoutSeconds") or 0):
            stream = watching.TimedWatch(stream, self._backend.clock, seconds)
        return Response(200, stream=stream)

    # ------------------------------------------------------------ writing

    def _create(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        attributes = self._attributes("CREATE", request, kind, info, user)
        obj = incoming.of_body(request, kind, attributes)
        incoming.adopt_namespace(obj, kind, info.namespace)
        incoming.drop_repeated_owners(obj["metadata"], attributes)
        attributes.object = obj
        attributes.name = obj["metadata"].get("name", "")
        if kind is _BINDINGS:
            self._admission.admit(attributes)
            named = replace(info, resource=scheme.PODS.plural, name=attributes.name, subresource="binding")
            return self.dispatch(request, scheme.PODS, named, user)
        incoming.track(request, kind, attributes, obj, None, self._backend.now)
        if self._reviews.knows(kind):
            created = self._reviews.answer(kind, obj, user, info.namespace)
        else:
            created = self.registry(kind).create(attributes)
        return self._answer(201, request, kind, created)

    def _update(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        attributes = self._attributes("UPDATE", request, kind, info, user)
        obj = incoming.of_body(request, kind, attributes)
        incoming.adopt_namespace(obj, kind, info.namespace)
        incoming.check_name(obj, info.name)

        def transform(old: Object | None) -> Object:
            incoming.check_uid(kind, obj, old, dry_run=attributes.dry_run)
            incoming.drop_repeated_owners(obj["metadata"], attributes)
            incoming.track(request, kind, attributes, obj, old, self._backend.now)
            return obj

        stored, created = self.registry(kind).update(attributes, transform)
        return self._answer(201 if created else 200, request, kind, stored)

    def _patch(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        media_type = request.content_type
        if media_type == APPLY_PATCH:
            return self._apply(request, kind, info, user)
        patch_type = PATCH_TYPES.get(media_type)
        if patch_type is None:
            raise UnsupportedMediaType.accepting([*PATCH_TYPES, APPLY_PATCH])
        attributes = self._attributes("UPDATE", request, kind, info, user)
        target = Target(kind.go_type, kind.kind, kind.api_version)

        def transform(old: Object | None) -> Object:
            if old is None:  # events may be created by an update, and by a patch nothing is
                raise NotFound.on(kind.plural, kind.group, info.name)
            # A client in this process hands over the patch itself, and not its text.
            patch = patch_type.decode(request.body) if isinstance(request.body, bytes) else request.body
            patched = patch_type.apply(old, patch, kind.go_type)
            attributes.enter("decoding")
            if request.decoded:
                new = incoming.of_trusted_patch(kind, patched)
            else:
                decoded = patch_type.read(patched, patch, target, bodies.field_validation(request))
                new = incoming.of_patch(kind, attributes, decoded)
            incoming.track(request, kind, attributes, new, old, self._backend.now)
            return new

        for attempt in range(PATCH_TRIES):
            try:
                stored, _ = self.registry(kind).update(attributes, transform)
                return self._answer(200, request, kind, stored)
            except Conflict as conflict:
                if attempt == PATCH_TRIES - 1 or MODIFIED not in conflict.message:
                    raise
        raise AssertionError("a patch ends with an answer or a conflict")

    def _apply(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        """Server-side apply: merge a configuration into the object, or create the object from it."""
        attributes = self._attributes("UPDATE", request, kind, info, user)
        manager = request.param("fieldManager")
        config = bodies.apply_configuration(request.body)
        now = self._backend.now()

        def transform(old: Object | None) -> Object:
            result = fieldmanager.apply(
                kind, old, config, manager=manager, force=request.flag("force"), subresource=info.subresource, now=now
            )
            attributes.warnings += bodies.repeated_keys_of(request)
            if old is None:
                result["metadata"].setdefault("name", info.name)
                incoming.adopt_namespace(result, kind, info.namespace)
            managed = result["metadata"].get("managedFields", [])
            attributes.enter("decoding")
            if request.decoded:
                new = incoming.of_trusted_patch(kind, result)
            else:
                new = incoming.of_patch(kind, attributes, _converted(kind, result, config))
            if managed:
                new["metadata"]["managedFields"] = managed
            return new

        stored, created = self.registry(kind).update(attributes, transform, create=not info.subresource)
        return self._answer(201 if created else 200, request, kind, stored)

    def _delete(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        delete = options.delete_options(request, bodies.delete_options(request))
        attributes = self._attributes("DELETE", request, kind, info, user)
        attributes.dry_run = attributes.dry_run or delete.dry_run
        registry = self.registry(kind)
        request.warnings += registry.delete_warnings(delete)
        obj, gone = registry.delete(attributes, delete)
        if not gone or kind in _RETURNED:
            return self._answer(202 if delete.is_not_orphaning and not gone else 200, request, kind, obj)
        meta = obj["metadata"]
        details: Object = {"name": meta["name"]}
        if kind.group:
            details["group"] = kind.group
        details |= {"kind": kind.plural, "uid": meta["uid"]}
        return Response(
            200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        )

    def _delete_collection(self, request: Request, kind: ResourceType, info: RequestInfo, user: User) -> Response:
        registry = self.registry(kind)
        delete = options.delete_options(request, bodies.delete_options(request))
        listed = registry.list(info.namespace, options.list_options(request, registry.field_labels))
        request.warnings += registry.delete_warnings(delete)
        for obj in listed["items"]:
            attributes = self._attributes("DELETE", request, kind, info, user)
            meta = obj["metadata"]
            attributes.namespace, attributes.name = meta.get("namespace", ""), meta["name"]
            attributes.dry_run = attributes.dry_run or delete.dry_run
            registry.delete(attributes, delete)
        form = representation.negotiate(request.headers.get("accept", ""))
        return Response(200, representation.shown_list(form, kind, listed, request, self._backend.clock.now))

    # ------------------------------------------------------------ shared

    def _attributes(
        self, operation: Any, request: Request, kind: ResourceType, info: RequestInfo, user: User
    ) -> Attributes:
        dry_run = info.verb in write_options.KINDS and write_options.checked(request, info.verb)
        return Attributes(
            operation, kind, info.namespace, info.name, info.subresource, user,
            dry_run=dry_run, trusted=request.decoded, trace=request.trace, warnings=request.warnings,
        )  # fmt: skip

    def _answer(self, code: int, request: Request, kind: ResourceType, obj: Object, subresource: str = "") -> Response:
        if not request.decoded:
            form = representation.negotiate(request.headers.get("accept", ""))
            obj = representation.shown(form, kind, obj, request, self._backend.clock.now, subresource)
        return Response(code, obj)


def _converted(kind: ResourceType, merged: Object, config: Object) -> decoding.Decoded:
    """The object that an applied configuration makes; its fields are known, their values need not make sense."""
    try:
        return decoding.decode(
            merged, kind.go_type, kind=kind.kind, api_version=kind.api_version, field_validation="Ignore"
        )
    except decoding.CannotBeHandled as error:
        what = f"failed to convert new object ({fieldmanager.named(kind, config)}) to proper version"
        where = fieldmanager.named(kind, config).rpartition("; ")[2]
        why = f"unable to convert unstructured object to {where}: {_unconverted(error.why)}"
        raise Unclassified(f"{what}: {why}") from error


def _unconverted(why: str) -> str:
    """Why a value of the right kind does not make sense, in the words of a conversion, which names no field."""
    found = re.fullmatch(r"json: cannot unmarshal (\w+)(?: \S+)? into Go struct field \S+ of type (\S+)", why)
    if found is None:
        return f"error decoding from json: {why}" if why.startswith("illegal base64") else why
    word, go_type = found.groups()
    if word == "number" and go_type != "string":
        return f"cannot convert float64 to {go_type}"
    return f"json: cannot unmarshal {word} into Go value of type {go_type}"
