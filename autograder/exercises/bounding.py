"""A cluster that refuses to be asked for more Pods than an answer may have, whatever language the asking is in.

``confinement`` counts what stands in manifests; commands can ask in JSON, YAML or protobuf, by patches and by scaling,
and a little at a time.  What is counted is what was asked for last of each object, all objects together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery.errors import Forbidden
from autograder.controlplane.apimachinery.wire import Request, Response
from autograder.controlplane.cluster import Cluster as ControlPlane
from autograder.controlplane.kube_apiserver import decoding

#: Fields that say how many Pods are wanted, wherever they stand.
COUNTS: Final = frozenset({"replicas", "parallelism", "completions", "minReplicas"})


class Bound:
    """How many Pods have been asked for, and may be."""

    def __init__(self, pods: int) -> None:
        self._pods = pods
        self._asked: dict[str, float] = {}

    def refusal(self, request: Request) -> Forbidden | None:
        """That a request asks for too many Pods."""
        body = _body(request)
        pods, place = max(_counts(body), default=0), _place(request, body)
        total = pods + sum(count for other, count in self._asked.items() if other != place)
        if pods > 0 and total > self._pods:
            return Forbidden(f"{total:.0f} replicas are asked for, and at most {self._pods} are run here")
        return None

    def answered(self, request: Request, code: int) -> None:
        """Count what was asked for, if it was granted."""
        if code >= 300 or request.param("dryRun"):
            return
        body = _body(request)
        counts, place = list(_counts(body)), _place(request, body)
        if request.method == "DELETE":
            self._asked.pop(place, None)
        elif counts:
            self._asked[place] = max(counts)


class Bounded:
    """A cluster with a bound on the Pods that can be asked for through it."""

    def __init__(self, cluster: ControlPlane, pods: int) -> None:
        self._cluster = cluster
        self._bound = Bound(pods)
        self.clock = cluster.clock
        self.settle = cluster.settle
        self.advance = cluster.advance
        self.run_to = cluster.run_to

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if error := self._bound.refusal(request):
            return Response(error.code, error.status(), error=error)
        response = self._cluster.handle(request)
        self._bound.answered(request, response.code)
        return response


def _body(request: Request) -> Any:
    """What a request says; None if that cannot be read, as the API server will say."""
    if not isinstance(request.body, bytes):
        return request.body
    if not request.body:
        return None
    media_type = request.headers.get("content-type", "application/json")
    try:
        return decoding.parse(request.body, "application/yaml" if "apply-patch" in media_type else media_type)
    except Exception:  # whatever is wrong with it, the API server finds it too
        return None


def _counts(value: Any) -> Iterator[float]:
    """All numbers of Pods in an object, a patch, or a list of patches."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case {"op": _, "path": str() as path, "value": int() | float() as count} if (
                path.rpartition("/")[2] in COUNTS
            ):
                yield count
            case dict() as members:
                yield from (
                    count for name, count in members.items() if name in COUNTS and isinstance(count, int | float)
                )
                if members.get("kind") == "Pod":
                    yield 1
                waiting += members.values()
            case list() as entries:
                waiting += entries


def _place(request: Request, body: Any) -> str:
    """What a request is about: the same for making an object, changing it, scaling it and deleting it."""
    path = request.path.removesuffix("/scale")
    if request.method == "POST" and isinstance(body, dict):
        metadata = body.get("metadata")
        return f"{path}/{metadata.get('name') if isinstance(metadata, dict) else ''}"
    return path
