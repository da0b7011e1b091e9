"""Whether an object is ready and, if it is not, the reasons that the cluster gives for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from autograder.clusters import Cluster, Object, readiness

#: Kinds that are ready when they have all their Pods, and the fields of their status that count them then: first those
#: that are ready.
COUNTED: Final[dict[str, tuple[str, ...]]] = {
    "ReplicaSet": ("readyReplicas", "replicas"),
    "ReplicationController": ("readyReplicas", "replicas"),
    "StatefulSet": ("readyReplicas", "replicas"),
    "Deployment": ("availableReplicas", "updatedReplicas", "replicas"),
    "DaemonSet": ("numberReady", "updatedNumberScheduled"),
}

#: Conditions, by type and status, that say why an object does not get on.
TELLING: Final = frozenset({("PodScheduled", "False"), ("ReplicaFailure", "True")})

#: Where a Deployment writes the number of each of its ReplicaSets.
REVISION: Final = "deployment.kubernetes.io/revision"


def is_ready(obj: Object) -> bool:
    """Whether the object does what its spec asks for: a Pod serves, a workload has all its Pods."""
    meta, status = obj["metadata"], obj.get("status") or {}
    if "deletionTimestamp" in meta:
        return False
    if obj["kind"] not in COUNTED:
        return readiness.is_ready(obj)
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        return False
    return all(status.get(field, 0) == _wanted(obj) for field in COUNTED[obj["kind"]])


def what_is_wrong(cluster: Cluster, obj: Object) -> str:
    """Why an object is not ready, in one line: its state, what its containers wait for, the last warning about it."""
    kind, meta, status = obj["kind"], obj["metadata"], obj.get("status") or {}
    parts = [f"{kind} {meta['name']}"]
    if kind in COUNTED:
        things = "Pods" if kind == "DaemonSet" else "replicas"
        parts[0] += f" has {status.get(COUNTED[kind][0], 0)} ready of {_wanted(obj)} {things}"
    elif "phase" in status:
        parts[0] += f" is {status['phase']} and not ready"
    parts += _waiting(status)
    for condition in _newest_conditions(cluster, obj) or status.get("conditions") or ():
        if (condition["type"], condition["status"]) in TELLING:
            parts.append(f"{condition.get('reason', condition['type'])}: {condition.get('message', '')}".rstrip(": "))
    reason, message = last_warning(cluster, obj)
    if reason and not any(message in part or part.startswith(f"{reason}:") for part in parts):
        parts.append(f"{reason}: {message}")
    return "; ".join(parts)


def _wanted(obj: Object) -> int:
    """How many Pods a workload is to have."""
    if obj["kind"] == "DaemonSet":
        return int((obj.get("status") or {}).get("desiredNumberScheduled", 0))
    return int((obj.get("spec") or {}).get("replicas", 1))


def _newest_conditions(cluster: Cluster, obj: Object) -> list[Object]:
    """What keeps a Deployment's newest ReplicaSet back; the Deployment itself may still tell what kept an older one."""
    if obj["kind"] != "Deployment":
        return []
    owned = [
        rs for rs in cluster.list("ReplicaSet", obj["metadata"].get("namespace", ""))
        if any(owner["uid"] == obj["metadata"]["uid"] for owner in rs["metadata"].get("ownerReferences") or ())
    ]  # fmt: skip
    newest = max(owned, key=lambda rs: int(rs["metadata"].get("annotations", {}).get(REVISION, 0)), default={})
    return [
        condition for condition in (newest.get("status") or {}).get("conditions") or ()
        if (condition["type"], condition["status"]) in TELLING
    ]  # fmt: skip


def last_warning(cluster: Cluster, obj: Object) -> tuple[str, str]:
    """Reason and message of the newest warning about an object, or nothing."""
    events = cluster.list("Event", obj["metadata"].get("namespace", ""))
    about = [
        event for event in events
        if event.get("type") == "Warning" and event["involvedObject"].get("uid") == obj["metadata"]["uid"]
    ]  # fmt: skip
    if not about:
        return "", ""
    newest = max(about, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    return newest["reason"], newest.get("message", "")


def _waiting(status: dict[str, Any]) -> Iterator[str]:
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group) or ():
            for state in ("waiting", "terminated"):
                reason = container.get("state", {}).get(state, {}).get("reason")
                if reason and reason != "Completed":
                    yield f"container {container['name']}: {reason}"
