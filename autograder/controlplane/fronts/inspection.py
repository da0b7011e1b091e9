"""Looks inside of a cluster that no Kubernetes API gives, as plain JSON, for pictures: they change nothing.

What was written and by whom comes from etcd's history, the tries to place a Pod from the scheduler's memory, and the
trace of a request from a fork that is thrown away.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final, Protocol, cast

from autograder.controlplane.apimachinery.errors import BadRequest, ServiceUnavailable
from autograder.controlplane.apimachinery.scheme import RESOURCES
from autograder.controlplane.apimachinery.timestamps import time
from autograder.controlplane.apimachinery.wire import ADMIN, Object, Request
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.etcd import StoreFailure
from autograder.controlplane.timeline import timeline

#: How many writes are told, the latest ones.
MOST_WRITES: Final = 2_000
_SCHEDULER: Final = "kube-scheduler"


class _Scheduler(Protocol):
    def attempts(self, namespace: str, name: str) -> list[Any]: ...


def writes(cluster: Cluster, prefix: str) -> dict[str, Any]:
    """Every write to the keys that begin with ``prefix``, oldest first.

    Each has ``revision``, ``time``, ``user``, ``key``, ``verb`` (created, updated, deleted), ``changes`` in words, and
    ``value``: the object as it was written, if the prefix names a folder of one resource, else null.
    """
    if cluster.store.failure:
        raise ServiceUnavailable(cluster.store.failure)
    with_values = prefix.strip("/").count("/") > 0
    try:
        entries = {entry.revision: entry for entry in timeline(cluster.api.chronicle, cluster.store)}
        told = [
            {
                "revision": event.revision, "time": time(note.time), "user": note.user, "key": event.key,
                "verb": entry.verb, "changes": list(entry.changes),
                "value": event.now.value if event.now and with_values else None,
            }
            for event, note in cluster.api.chronicle.written(cluster.store, 0)
            if event.key.startswith(prefix) and (entry := entries.get(event.revision))
        ]  # fmt: skip
    except StoreFailure as failure:
        raise ServiceUnavailable(str(failure)) from failure
    return {"writes": told[-MOST_WRITES:]}


def decision(cluster: Cluster, namespace: str, name: str) -> dict[str, Any]:
    """The scheduler's latest try to place a Pod, as ``kube_scheduler.decision.Decision`` says it."""
    scheduler = cluster.component(_SCHEDULER)
    if scheduler is None:
        raise BadRequest(f"{_SCHEDULER} is stopped, and what it remembered is gone")
    tries = cast("_Scheduler", scheduler).attempts(namespace, name)
    if not tries:
        raise BadRequest(f"{_SCHEDULER} remembers no try to place a Pod {namespace}/{name}")
    return asdict(tries[-1])


def traced(cluster: Cluster, manifest: object) -> dict[str, Any]:
    """What happens to a request that creates an object, or changes it if it is there: its steps and its cost."""
    if not isinstance(manifest, dict) or not isinstance(manifest.get("metadata"), dict):
        raise BadRequest("`manifest` must be an object with metadata")
    method, path = _request_line(cluster, manifest)
    kind = "application/json" if method == "POST" else "application/merge-patch+json"
    body = json.dumps(manifest).encode()
    request = Request(method, path, {}, {"content-type": kind}, body, ADMIN)
    response, trace = cluster.fork().trace(request)
    steps = [asdict(step) for step in trace.steps]
    return {"method": method, "path": path, "code": response.code, "steps": steps, "cost": asdict(trace.cost)}


def _request_line(cluster: Cluster, manifest: Object) -> tuple[str, str]:
    version, kind = manifest.get("apiVersion"), manifest.get("kind")
    resource = next((row for row in RESOURCES if (row.api_version, row.kind) == (version, kind)), None)
    if resource is None:
        raise BadRequest(f"there are no objects of the kind {kind} in {version}")
    meta = manifest["metadata"]
    namespace, name = str(meta.get("namespace") or "default"), str(meta.get("name") or "")
    path = resource.path(namespace, name)
    if name and cluster.handle(Request("GET", path, {}, {}, b"", ADMIN)).code == 200:
        return "PATCH", path
    return "POST", resource.path(namespace)
