"""Discovery: the documents that tell a client which resources there are, made from the table of kinds.

Clients ask in one of two forms. The aggregated one (``/api`` and ``/apis`` with an ``Accept`` for
``APIGroupDiscoveryList``) says everything in two documents, which kubectl keeps on disk by their ETag; the older one
has a document for each group and each version. Source: apiserver/pkg/endpoints/discovery.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import Any, Final

from autograder.controlplane.apimachinery.errors import MethodNotAllowed
from autograder.controlplane.apimachinery.scheme import SERVED, ResourceType, subresource_verbs
from autograder.controlplane.apimachinery.wire import Object, Request, Response
from autograder.controlplane.kube_apiserver import representation
from autograder.controlplane.kube_apiserver.conditional import unless_known

AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

#: Parts of the path of a version's document.
_OF_VERSION: Final = 3

#: Groups in the order in which the real server lists them, which is the order of ``kubectl get all``.
_GROUP_ORDER: Final = (
    "", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
    "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io", "scheduling.k8s.io",
    "coordination.k8s.io", "discovery.k8s.io",
)  # fmt: skip

#: Group, version and kind of subresources that speak of another kind than their object.
_SUBRESOURCE_KINDS: Final = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "token": ("authentication.k8s.io", "v1", "TokenRequest"),
    "binding": ("", "", "Binding"),
    "attach": ("", "", "PodAttachOptions"),
    "exec": ("", "", "PodExecOptions"),
    "portforward": ("", "", "PodPortForwardOptions"),
}

#: Kinds that etcd holds in the form of another group or version.
_STORED_AS: Final = {
    ("autoscaling", "HorizontalPodAutoscaler"): ("autoscaling", "v2"),
    ("events.k8s.io", "Event"): ("", "v1"),
}


def answer(request: Request) -> Response | None:
    """The discovery document of a path, or None if the path has none."""
    parts = tuple(request.path.removesuffix("/").split("/"))[1:]
    document = _legacy(parts)
    if document is None:
        return None
    by_router = parts[0] == "api" or len(parts) == _OF_VERSION
    if by_router and request.method != "GET":
        raise MethodNotAllowed.path()
    accept = request.headers.get("accept", "")
    if len(parts) == 1 and _wants_aggregated(accept):
        return unless_known(request, _aggregated(parts[0]), AGGREGATED, {"cache-control": "public"})
    if by_router:
        representation.check_route(accept, representation.OBJECTS)
    return Response(200, document, representation.negotiate(accept, convertible=False).media_type)


def groups() -> tuple[str, ...]:
    """The names of all groups that there are documents of."""
    return tuple(group for group in _GROUP_ORDER if group)


def paths() -> list[str]:
    """The path of each document."""
    return ["/api", "/apis", "/apis/", *(f"/apis/{group}" for group in groups()), *{row.root for row in SERVED}]


def _wants_aggregated(accept: str) -> bool:
    """Whether the aggregated form comes before any other that is served."""
    for offer in accept.split(","):
        media_type, *parameters = (part.strip() for part in offer.split(";"))
        if media_type not in ("application/json", "application/*", "*/*"):
            continue
        given = dict(parameter.partition("=")[::2] for parameter in parameters)
        if "as" not in given:
            return False
        if (given.get("g"), given.get("v"), given["as"]) == ("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList"):
            return True
    return False


@cache
def _aggregated(root: str) -> bytes:
    """One of the two aggregated documents."""
    document = {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_group_discovery(group) for group in _GROUP_ORDER if (group == "") == (root == "api")],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _group_discovery(group: str) -> Object:
    return {
        "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
        "versions": [
            {
                "version": version,
                "resources": [_resource_discovery(row) for row in _rows(group, version)],
                "freshness": "Current",
            }
            for version in _versions(group)
        ],
    }


def _resource_discovery(row: ResourceType) -> Object:
    entry: Object = {
        "resource": row.plural,
        "responseKind": {"group": "", "version": "", "kind": row.kind},
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular,
        "verbs": list(row.verbs),
        **_names(row),
    }
    if row.subresources:
        entry["subresources"] = [_subresource_discovery(row, name) for name in row.subresources]
    return entry


def _subresource_discovery(row: ResourceType, name: str) -> Object:
    group, version, kind = _SUBRESOURCE_KINDS.get(name, ("", "", row.kind))
    return {
        "subresource": name,
        "responseKind": {"group": group, "version": version, "kind": kind},
        "verbs": list(subresource_verbs(name)),
    }


@cache
def _legacy(parts: tuple[str, ...]) -> Object | None:
    """The older documents: of a root, of a group, of a version."""
    match parts:
        case ("api",):
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ("apis",):
            groups = [_group_document(group) for group in _GROUP_ORDER if group]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
        case ("apis", group) if group in _GROUP_ORDER:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group_document(group)}
        case ("api", version):
            return _version_document("", version)
        case ("apis", group, version):
            return _version_document(group, version)
    return None


def _group_document(group: str) -> Object:
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in _versions(group)]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _version_document(group: str, version: str) -> Object | None:
    rows = _rows(group, version)
    if not rows:
        return None
    resources = [entry for row in rows for entry in _resource_entries(row)]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": rows[0].api_version,
        "resources": resources,
    }


def _resource_entries(row: ResourceType) -> list[Object]:
    """The entry of a resource and those of its subresources."""
    entry: Object = {
        "name": row.plural,
        "singularName": row.singular,
        "namespaced": row.namespaced,
        "kind": row.kind,
        "verbs": list(row.verbs),
        **_names(row),
    }
    if "get" in row.verbs:
        entry["storageVersionHash"] = _storage_version_hash(row)
    return [entry, *(_subresource_entry(row, name) for name in row.subresources)]


def _subresource_entry(row: ResourceType, name: str) -> Object:
    group, version, kind = _SUBRESOURCE_KINDS.get(name, ("", "", row.kind))
    entry: Object = {"name": f"{row.plural}/{name}", "singularName": "", "namespaced": row.namespaced}
    if version:
        entry |= {"group": group, "version": version}
    return entry | {"kind": kind, "verbs": list(subresource_verbs(name))}


def _names(row: ResourceType) -> Object:
    """Short names and categories, which are left out when there are none."""
    names: dict[str, Any] = {"shortNames": list(row.short_names), "categories": list(row.categories)}
    return {key: value for key, value in names.items() if value}


def _storage_version_hash(row: ResourceType) -> str:
    group, version = _STORED_AS.get((row.group, row.kind), (row.group, row.version))
    digest = hashlib.sha256(f"{group}/{version}/{row.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _versions(group: str) -> list[str]:
    """The versions of a group, the preferred one first."""
    return list(dict.fromkeys(row.version for row in SERVED if row.group == group))


def _rows(group: str, version: str) -> list[ResourceType]:
    """The resources of a version in the order of their names."""
    rows = (row for row in SERVED if (row.group, row.version) == (group, version))
    return sorted(rows, key=lambda row: row.plural)
