"""The real API over HTTPS, in the form in which our components expect it: requests in, responses and streams out.

Each component speaks as itself, by its own certificate.  Our kubelets are one component and the real API server knows
one user for each node, so that what is written for a node goes out as ``system:node:NAME``, where the Node authorizer
and NodeRestriction look at it; what all of them read together is read by a user of its own.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from autograder.clusters.connection import error_of
from autograder.clusters.interface import Object
from autograder.controlplane.apimachinery.errors import Expired, ServiceUnavailable, StatusError
from autograder.controlplane.apimachinery.scheme import LEASES, NODES, PODS, RESOURCES, SERVICEACCOUNTS, ResourceType
from autograder.controlplane.apimachinery.wire import Request, RequestInfo, Response, WatchEvent

#: The user of the component that plays all kubelets, and what it reads as.
KUBELETS: Final = "system:node"
READER: Final = ("autograder:nodes", ("system:masters",))
#: Seconds that an answer may take.
ANSWER_SECONDS: Final = 30.0
#: Seconds without an event after which a watch is begun anew.
WATCH_SECONDS: Final = 300
_KINDS: Final = {(row.group, row.version, row.plural): row for row in RESOURCES}

Trust = Callable[[str, tuple[str, ...]], ssl.SSLContext]


class Api:
    """The handler of all our components; to be called from one thread.

    ``trust`` gives the TLS settings of a user, and ``wake`` is called (from any thread) when a watch has news.
    """

    def __init__(self, host: str, port: int, trust: Trust, wake: Callable[[], None]) -> None:
        self._host, self._port = host, port
        self._trust = trust
        self._wake = wake
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._connections: dict[str, http.client.HTTPSConnection] = {}
        self._nodes: dict[tuple[str, str], str] = {}  # of pods, by namespace and name
        self._streams: list[Stream] = []

    def handle(self, request: Request) -> Response:
        """Answer one request of a component."""
        assert request.info is not None and request.user is not None
        kind = _KINDS[request.info.group, request.info.version, request.info.resource]
        user, groups = self._speaker(request, kind)
        path = kind.path(request.info.namespace, request.info.name, request.info.subresource)
        try:
            if request.info.verb == "watch":
                return self._watch(kind, path, request, user, groups)
            query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
            body = request.body if isinstance(request.body, bytes) else json.dumps(request.body).encode()
            content_type = request.headers.get("content-type", "application/json")
            answer = json.loads(self._exchange(request.method, path + query, body, content_type, user, groups))
        except StatusError as error:
            return Response(error.code, error.status(), error=error)
        if request.info.verb == "list":
            items = answer.get("items") or []
            answer["items"] = [{"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in items]
        for item in answer["items"] if request.info.verb == "list" else (answer,):
            self.note(kind, item)
        return Response(200, answer)

    def note(self, kind: ResourceType, obj: Object) -> None:
        """Remember the node of a pod, to know who writes about it."""
        if kind is PODS and obj.get("kind") == "Pod":
            meta = obj["metadata"]
            self._nodes[meta["namespace"], meta["name"]] = obj["spec"].get("nodeName", "")

    def close(self) -> None:
        """End every connection."""
        for stream in self._streams:
            stream.close()
        for connection in self._connections.values():
            connection.close()

    def context(self, user: str, groups: tuple[str, ...]) -> ssl.SSLContext:
        """The TLS settings of a user, made once."""
        if user not in self._contexts:
            self._contexts[user] = self._trust(user, groups)
        return self._contexts[user]

    def _speaker(self, request: Request, kind: ResourceType) -> tuple[str, tuple[str, ...]]:
        assert request.info is not None and request.user is not None
        user, groups = request.user.name, tuple(one for one in request.user.groups if one != "system:authenticated")
        if user != KUBELETS:
            return user, groups
        node = self._node(request.info, kind, request.body) if request.method != "GET" else ""
        return (f"system:node:{node}", ("system:nodes",)) if node else READER

    def _node(self, info: RequestInfo, kind: ResourceType, body: Any) -> str:
        """The node on whose behalf something is written; '' if it cannot be told."""
        if kind in (NODES, LEASES):
            return info.name or str(body["metadata"]["name"])
        if kind is PODS:
            known = self._nodes.get((info.namespace, info.name), "")
            return known or (str(json.loads(body)["spec"]["nodeName"]) if isinstance(body, bytes) and body else "")
        if kind is SERVICEACCOUNTS and info.subresource == "token":
            bound = (body["spec"].get("boundObjectRef") or {}).get("name", "")
            return self._nodes.get((info.namespace, bound), "")
        return ""

    def _exchange(
        self, method: str, path: str, body: bytes, content_type: str, user: str, groups: tuple[str, ...]
    ) -> str:
        """One request and its answer; a connection that the server has closed meanwhile is made anew, once."""
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        for fresh in (False, True):
            connection = self._connections.get(user)
            if connection is None or fresh:
                connection = self._connections[user] = http.client.HTTPSConnection(
                    self._host, self._port, context=self.context(user, groups), timeout=ANSWER_SECONDS
                )
            try:
                connection.request(method, path, body or None, headers)
                answer = connection.getresponse()
                text = answer.read().decode()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if fresh:
                    raise ServiceUnavailable(f"the API server does not answer: {error}") from error
                continue
            if answer.status >= 300:
                raise error_of(answer.status, text)
            return text
        raise AssertionError("unreachable")

    def _watch(self, kind: ResourceType, path: str, request: Request, user: str, groups: tuple[str, ...]) -> Response:
        stream = Stream(self, kind, path, dict(request.query), self.context(user, groups), self._wake)
        self._streams = [one for one in self._streams if not one.ended] + [stream]
        return Response(200, stream=stream)

    def connect(self, context: ssl.SSLContext) -> http.client.HTTPSConnection:
        """A connection for a watch."""
        return http.client.HTTPSConnection(self._host, self._port, context=context, timeout=WATCH_SECONDS)


class Stream:
    """One watch, read by a thread of its own; goes on from where it was when the server ends it or goes away.

    When what came next is no longer known to the server, the last event is an ERROR, and its reader lists again.
    """

    def __init__(
        self, api: Api, kind: ResourceType, path: str, query: dict[str, Any], context: ssl.SSLContext,
        wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._api, self._kind, self._path, self._query = api, kind, path, query
        self._context, self._wake = context, wake
        self._revision = str(query["resourceVersion"][0])
        self._events: deque[WatchEvent] = deque()
        self._connection: http.client.HTTPSConnection | None = None
        self._closing = threading.Event()
        self.ended = False
        self._thread = threading.Thread(target=self._read, name=f"watch {kind.plural}", daemon=True)
        self._thread.start()

    @property
    def revision(self) -> int:
        """A revision up to which every event has been polled."""
        return int(self._revision)

    def waiting(self) -> bool:
        """Whether a poll brings something."""
        return bool(self._events)

    def poll(self) -> list[WatchEvent]:
        """What has come since the last poll."""
        events = []
        while self._events:
            event = self._events.popleft()
            self._api.note(self._kind, event.object)
            events.append(event)
        return events

    def close(self) -> None:
        """End the watch."""
        self._closing.set()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(2)

    def _read(self) -> None:
        while not self._closing.is_set() and not self.ended:
            try:
                self._follow()
            except Expired:
                self._give("ERROR", {"kind": "Status", "code": Expired.code})
            except (OSError, ValueError, http.client.HTTPException, StatusError):
                self._closing.wait(0.5)  # the server is away, or was restarted: ask again
        self.ended = True

    def _follow(self) -> None:
        query = {**self._query, "resourceVersion": self._revision, "allowWatchBookmarks": "true"}
        query["timeoutSeconds"] = str(WATCH_SECONDS - 10)
        connection = self._connection = self._api.connect(self._context)
        try:
            connection.request(
                "GET", f"{self._path}?{urlencode(query, doseq=True)}", headers={"Accept": "application/json"}
            )
            answer = connection.getresponse()
            if answer.status >= 300:
                raise error_of(answer.status, answer.read().decode(errors="replace"))
            while line := answer.readline():
                event = json.loads(line)
                obj = event["object"]
                if event["type"] == "ERROR":
                    raise error_of(int(obj.get("code", 500)), json.dumps(obj))
                self._revision = obj["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    self._give(event["type"], obj)
        finally:
            connection.close()

    def _give(self, kind: str, obj: Object) -> None:
        self.ended = kind == "ERROR"
        self._events.append(WatchEvent(kind, obj))
        self._wake()
