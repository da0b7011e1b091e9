"""A client of the API server in the same process: objects in, objects out, errors raised as they are.

Objects handed in are given away: neither side changes them afterwards.  Objects that come back are the server's own
and must never be changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Handler, Object, Request, RequestInfo, Response, User, WatchStream

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


Query = dict[str, list[str]]


class Client:
    """The API as one user sees it.  Every method raises ``StatusError`` for an answer that is not the object.

    With ``trusted=True`` (components of the control plane) bodies are taken to be in normal form and are not decoded
    again; for anybody else they are decoded strictly, as if they had come over a socket.  ``revision``, where it is
    known, tells the last write to the cluster: while that is the same, no watch has any news.
    """

    def __init__(
        self, handle: Handler, user: User, *, trusted: bool = False, field_manager: str = "",
        revision: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        self._handle = handle
        self.user = user
        self.revision = revision
        self._trusted = trusted
        self._field_manager = field_manager or user.name.rpartition(":")[2]
        #: How many requests were sent that may have changed something.
        self.writes = 0

    def get(self, kind: ResourceType, namespace: str, name: str, subresource: str = "") -> Object:
        """One object, or one of its subresources."""
        return self._send("GET", "get", kind, namespace, name, subresource).body

    def list(
        self, kind: ResourceType, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> tuple[list[Object], str]:
        """The objects of a namespace (or of all), and the resourceVersion from which a watch goes on."""
        answer = self._send("GET", "list", kind, namespace, query=_selectors(labels, fields)).body
        return answer["items"], answer["metadata"]["resourceVersion"]

    def watch(
        self, kind: ResourceType, resource_version: str, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> WatchStream:
        """Everything that happens after a resourceVersion."""
        query = _selectors(labels, fields) | {"resourceVersion": [resource_version], "watch": ["true"]}
        stream = self._send("GET", "watch", kind, namespace, query=query).stream
        assert stream is not None
        return stream

    def create(self, kind: ResourceType, namespace: str, obj: Object, subresource: str = "", name: str = "") -> Object:
        """Create an object, or post to a subresource of the object ``name``."""
        return self._send("POST", "create", kind, namespace, name, subresource, body=obj).body

    def update(self, kind: ResourceType, obj: Object, subresource: str = "") -> Object:
        """Replace an object (or its ``status``); its resourceVersion, if given, must be the current one."""
        meta = obj["metadata"]
        return self._send("PUT", "update", kind, meta.get("namespace", ""), meta["name"], subresource, body=obj).body

    def patch(
        self,
        kind: ResourceType,
        namespace: str,
        name: str,
        patch: Any,
        subresource: str = "",
        *,
        patch_type: str = STRATEGIC_MERGE_PATCH,
    ) -> Object:
        """Change parts of an object."""
        headers = {"content-type": patch_type}
        return self._send("PATCH", "patch", kind, namespace, name, subresource, body=patch, headers=headers).body

    def delete(
        self,
        kind: ResourceType,
        namespace: str,
        name: str,
        *,
        uid: str = "",
        resource_version: str = "",
        grace_period: int | None = None,
        propagation: str = "",
    ) -> Object:
        """Delete an object; ``uid`` and ``resource_version`` are preconditions.  Returns what the server said."""
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1"}
        preconditions = {key: value for key, value in (("uid", uid), ("resourceVersion", resource_version)) if value}
        if preconditions:
            options["preconditions"] = preconditions
        if grace_period is not None:
            options["gracePeriodSeconds"] = grace_period
        if propagation:
            options["propagationPolicy"] = propagation
        return self._send("DELETE", "delete", kind, namespace, name, body=options).body

    def delete_if_there(
        self, kind: ResourceType, namespace: str, name: str, *, uid: str = "", propagation: str = ""
    ) -> None:
        """Delete an object that may be gone already."""
        try:
            self.delete(kind, namespace, name, uid=uid, propagation=propagation)
        except NotFound:
            return

    def _send(
        self,
        method: str,
        verb: str,
        kind: ResourceType,
        namespace: str = "",
        name: str = "",
        subresource: str = "",
        *,
        query: Query | None = None,
        headers: dict[str, str] | None = None,
        body: Any = b"",
    ) -> Response:
        query = query or {}
        if method != "GET":
            self.writes += 1
        if verb in ("create", "update", "patch"):
            query["fieldManager"] = [self._field_manager]
            query["fieldValidation"] = ["Strict"]
        info = RequestInfo(verb, kind.group, kind.version, kind.plural, namespace, name, subresource)
        response = self._handle(
            Request(method, "", query, headers or {}, body, user=self.user, info=info, decoded=self._trusted)
        )
        if response.error:
            raise response.error
        return response


def _selectors(labels: str, fields: str) -> Query:
    return {key: [value] for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}
