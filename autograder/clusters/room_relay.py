"""The way for kubectl to a room: the student's names on one side, the cluster's on the other, and nothing beside them.

What would change something outside of the room is "not run there".  Lists over all namespaces show those of the room
and the cluster's own.  Commands in containers of the room are passed through as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from autograder.clusters import leftovers
from autograder.clusters.connection import Connection
from autograder.clusters.interface import Object
from autograder.clusters.kubeconfig import DEFAULT, SYSTEM
from autograder.clusters.relay import READING, Relay, value_of
from autograder.clusters.room import Room
from autograder.clusters.served import NOT_RUN
from autograder.controlplane.apimachinery.errors import BadRequest, Forbidden, NotImplemented501, StatusError
from autograder.controlplane.apimachinery.scheme import resource
from autograder.controlplane.apimachinery.wire import Request

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

#: Groups in which one creates questions and not objects.
_QUESTIONS: Final = ("authorization.k8s.io", "authentication.k8s.io")
#: What is done to a Pod, or through it, by a request that may be a GET.
_THROUGH: Final = ("exec", "attach", "portforward", "proxy")
_OF_A_NAMESPACE: Final = ("status", "finalize")
_REVIEWS: Final = resource("selfsubjectreviews", "authentication.k8s.io")
_CREATED: Final = 201
_FORBIDDEN: Final = 403


class Target(NamedTuple):
    """What a path is about; ``namespace`` is empty for what has none, and for lists over all."""

    group: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def target_of(path: str) -> Target:
    """The object or list of a path of the API."""
    match path.strip("/").split("/"):
        case ["api", _, "namespaces", name, *rest] if not rest or rest[0] in _OF_A_NAMESPACE:
            return Target("", "namespaces", "", name, *rest[:1])
        case ["api", _, "namespaces", namespace, plural, *rest]:
            return Target("", plural, namespace, *rest[:2])
        case ["api", _, plural, *rest]:
            return Target("", plural, "", *rest[:2])
        case ["apis", group, _, "namespaces", namespace, plural, *rest]:
            return Target(group, plural, namespace, *rest[:2])
        case ["apis", group, _, plural, *rest]:
            return Target(group, plural, "", *rest[:2])
    return Target("", "")


class RoomGate:
    """Lets through what reads, and what changes the room."""

    def refusal(self, request: Request) -> StatusError | None:
        """Why a request is not passed on; None if it is."""
        target = target_of(request.path)
        if (request.method in READING and target.subresource not in _THROUGH) or target.group in _QUESTIONS:
            return None
        if target.plural == "namespaces":
            return _of_namespace(request.method, target.name)
        if not target.namespace:
            return NotImplemented501(
                f"{NOT_RUN}: {target.plural} belong to the whole cluster, which somebody else runs"
            )
        if target.namespace in SYSTEM:
            return NotImplemented501(f"{NOT_RUN}: {target.namespace} belongs to the cluster, which somebody else runs")
        return None

    def answered(self, request: Request, code: int) -> None:
        """Nothing is counted."""


def _of_namespace(method: str, name: str) -> StatusError | None:
    if name in SYSTEM:
        return NotImplemented501(f"{NOT_RUN}: {name} belongs to the cluster, which somebody else runs")
    if name == DEFAULT and method == "DELETE":  # as on every cluster
        return Forbidden.on("namespaces", "", name, "this namespace may not be deleted")
    return None


class RoomRelay(Relay):
    """Serves kubectl until ``close``; ``url`` is what it is told."""

    def __init__(self, connection: Connection, room: Room, token: str, port: int = 0) -> None:
        self._room = room
        self._user = _user_of(connection)
        super().__init__(connection.path, connection.context, room.names, RoomGate(), token, port, tunnels=True)

    def ask(self, request: Request) -> BaseHTTPResponse:
        answer = super().ask(request)
        if answer.status == _CREATED and _is_new_namespace(request):
            self._room.made(value_of(request)["metadata"]["name"])
        return answer

    def outward(self, request: Request, code: int, data: bytes) -> bytes:
        target = target_of(request.path)
        if code == _FORBIDDEN and self._user and self._user.encode() in data:
            data = _as_not_run(data)
        elif request.method == "GET" and target.plural and not target.namespace and not target.name:
            data = self._kept(data, namespaces=target.plural == "namespaces")
        elif target.plural == "namespaces":
            data = _without_marks(data)
        return super().outward(request, code, data)

    def inward(self, request: Request) -> tuple[str, bytes, dict[str, str]]:
        path, body, headers = super().inward(request)
        if target_of(request.path).plural == "namespaces" and request.method in ("POST", "PUT", "PATCH"):
            body = self._namespace_in(request, json.loads(body or b"null"))
        return path, body, headers

    def _namespace_in(self, request: Request, namespace: Any) -> bytes:
        if request.method != "PATCH":
            if not isinstance(namespace, dict):
                raise BadRequest("this is no Namespace")
            return json.dumps(self._room.marked(namespace)).encode()
        meta = namespace.get("metadata") if isinstance(namespace, dict) else None
        if isinstance(meta, dict) and isinstance(meta.get("name"), str):
            namespace = {**namespace, "metadata": {**meta, "name": self._room.names.ours(meta["name"])}}
        return json.dumps(namespace).encode()

    def _kept(self, data: bytes, *, namespaces: bool) -> bytes:
        """A list, a table or an event of a watch without what belongs to others."""
        try:
            found = json.loads(data)
        except ValueError:
            return data  # no JSON, such as a log
        if isinstance(found, dict) and isinstance(found.get("object"), dict) and "type" in found:
            event = found["object"]
            if isinstance(event.get("rows"), list):
                event["rows"] = self._rows(event["rows"], namespaces)
                return json.dumps(found).encode() + b"\n" if event["rows"] else b""
            return data if self._is_shown(event, namespaces) or event.get("kind") == "Status" else b""
        if isinstance(found, dict) and isinstance(found.get("rows"), list):
            found["rows"] = self._rows(found["rows"], namespaces)
        elif isinstance(found, dict) and isinstance(found.get("items"), list):
            kept = (_unmarked(item) if namespaces else item for item in found["items"])
            found["items"] = sorted((item for item in kept if self._is_shown(item, namespaces)), key=self._order)
        return json.dumps(found).encode()

    def _rows(self, rows: Sequence[Object], namespaces: bool) -> list[Object]:
        shown = (row for row in rows if self._is_shown(row.get("object") or {}, namespaces))
        return sorted(shown, key=lambda row: self._order(row.get("object") or {}))

    def _order(self, obj: Object) -> tuple[str, str]:
        """As a cluster lists objects: by the names that the student knows."""
        meta, shown = obj.get("metadata") or {}, self._room.names.text_out
        return shown(meta.get("namespace", "")), shown(meta.get("name", ""))

    def _is_shown(self, obj: Object, is_namespace: bool) -> bool:
        meta = obj.get("metadata") or {}
        place = meta.get("name", "") if is_namespace else meta.get("namespace", "")
        return not place or place in SYSTEM or self._room.names.is_ours(place)


def _user_of(connection: Connection) -> str:
    """The name by which the cluster knows us; empty if it does not say."""
    review = {"apiVersion": _REVIEWS.api_version, "kind": _REVIEWS.kind}
    try:
        return str(json.loads(connection.send("POST", _REVIEWS, body=review))["status"]["userInfo"]["username"])
    except StatusError:
        return ""


def _as_not_run(data: bytes) -> bytes:
    """A refusal for want of rights, which is nothing that a student did."""
    try:
        status = json.loads(data)
        return json.dumps({**status, "message": f"{NOT_RUN}: {status['message']}"}).encode()
    except (ValueError, KeyError, TypeError):
        return data


def _unmarked(obj: Any) -> Any:
    """A Namespace without what says that it is ours."""
    return leftovers.unmarked(obj) if isinstance(obj, dict) and "metadata" in obj else obj


def _without_marks(data: bytes) -> bytes:
    try:
        found = json.loads(data)
    except ValueError:
        return data
    is_one = isinstance(found, dict) and found.get("kind") == "Namespace"
    return json.dumps(_unmarked(found)).encode() if is_one else data


def _is_new_namespace(request: Request) -> bool:
    is_tried = "dryRun" in request.query
    return request.method == "POST" and target_of(request.path) == Target("", "namespaces") and not is_tried
