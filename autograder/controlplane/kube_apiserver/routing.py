"""From a method and a path to what a request is about.

The rules are those of apiserver/pkg/endpoints/request: a path that belongs to no API group is a non-resource request,
a GET without a name is a list or a watch, a DELETE without a name is a deletecollection.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery.wire import Request, RequestInfo

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = ("status", "finalize")


def resolve(request: Request) -> RequestInfo | None:
    """What the request is about, or None for a path outside of the resource API."""
    parts = request.path.removesuffix("/").split("/")[1:]
    if len(parts) < 3 or parts[0] not in ("api", "apis") or "" in parts:
        return None
    group = ""
    if parts.pop(0) == "apis":
        if len(parts) < 3:
            return None
        group = parts.pop(0)
    version = parts.pop(0)
    verb = _VERBS.get(request.method, "")
    if parts[0] == "watch" and len(parts) > 1:
        verb = "watch"
        parts.pop(0)
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    resource = parts[0]
    name = parts[1] if len(parts) > 1 else ""
    subresource = "/".join(parts[2:])
    if not name:
        if verb == "get":
            verb = "watch" if request.flag("watch") else "list"
        elif verb == "delete":
            verb = "deletecollection"
    return RequestInfo(verb, group, version, resource, namespace, name, subresource)
