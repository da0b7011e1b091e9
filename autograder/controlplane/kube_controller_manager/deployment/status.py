"""The status of a Deployment: counts, and the conditions Available, Progressing and ReplicaFailure.

Pure functions; ``now`` is in microseconds.  Source: pkg/controller/deployment/{sync,progress}.go.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.conditions import find, since, with_new, without
from autograder.controlplane.kube_controller_manager.deployment.arithmetic import (
    max_unavailable,
    replicas,
    status_count,
    total,
)
from autograder.controlplane.kube_controller_manager.fields import compact

AVAILABLE: Final = "Available"
PROGRESSING: Final = "Progressing"
REPLICA_FAILURE: Final = "ReplicaFailure"

NEW_SET_AVAILABLE: Final = "NewReplicaSetAvailable"
TIMED_OUT: Final = "ProgressDeadlineExceeded"
PAUSED: Final = "DeploymentPaused"

#: A deadline of this many seconds means: none.
NO_DEADLINE: Final = 2**31 - 1


def condition(kind: str, status: str, reason: str, message: str, now: int) -> Object:
    """A condition that begins now."""
    time = timestamps.time(now)
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": time,
        "lastTransitionTime": time,
        "reason": reason,
        "message": message,
    }


def conditions_of(deployment: Object) -> list[Object]:
    """The conditions that the Deployment has; not to be changed."""
    found: list[Object] = deployment.get("status", {}).get("conditions", [])
    return found


def with_condition(deployment: Object, new: Object) -> Object:
    """The Deployment with one more condition in its status."""
    status = deployment.get("status", {})
    return {**deployment, "status": {**status, "conditions": with_new(conditions_of(deployment), new)}}


def has_deadline(deployment: Object) -> bool:
    """Whether a rollout may time out."""
    return deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE


def counted(deployment: Object, replica_sets: list[Object], new: Object | None, now: int) -> Object:
    """The status with fresh counts and the condition Available."""
    available = status_count(replica_sets, "availableReplicas")
    if available >= replicas(deployment) - max_unavailable(deployment):
        verdict = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        verdict = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    status = compact(
        {
            "observedGeneration": deployment["metadata"].get("generation", 0),
            "replicas": status_count(replica_sets, "replicas"),
            "updatedReplicas": status_count([new] if new else [], "replicas"),
            "readyReplicas": status_count(replica_sets, "readyReplicas"),
            "availableReplicas": available,
            "unavailableReplicas": max(0, total(replica_sets) - available),
        }
    )
    if (terminating := _terminating(replica_sets)) is not None:
        status["terminatingReplicas"] = terminating
    if "collisionCount" in deployment.get("status", {}):
        status["collisionCount"] = deployment["status"]["collisionCount"]
    status["conditions"] = with_new(conditions_of(deployment), condition(AVAILABLE, *verdict, now))
    return status


def _terminating(replica_sets: list[Object]) -> int | None:
    """The pods that are going away; unknown (None) while a set that was looked at does not say."""
    statuses = [one.get("status", {}) for one in replica_sets]
    looked_at = [one for one in statuses if one.get("observedGeneration") or "terminatingReplicas" in one]
    if any("terminatingReplicas" not in one for one in looked_at):
        return None
    return sum(one["terminatingReplicas"] for one in looked_at)


def progressed(deployment: Object, status: Object, replica_sets: list[Object], new: Object | None, now: int) -> Object:
    """The status with the conditions Progressing and ReplicaFailure as the rollout stands."""
    conditions = status["conditions"]
    current = find(conditions_of(deployment), PROGRESSING)
    subject = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if not has_deadline(deployment):
        conditions = without(conditions, PROGRESSING)
    elif not _was_complete(status, current):
        if is_complete(deployment, status):
            message = f"{subject} has successfully progressed."
            conditions = with_new(conditions, condition(PROGRESSING, "True", NEW_SET_AVAILABLE, message, now))
        elif _has_progressed(deployment.get("status", {}), status):
            progress = condition(PROGRESSING, "True", "ReplicaSetUpdated", f"{subject} is progressing.", now)
            if current and current["status"] == "True":
                progress["lastTransitionTime"] = current.get("lastTransitionTime")
            conditions = [*without(conditions, PROGRESSING), progress]
        elif _timed_out(deployment, find(conditions, PROGRESSING), now):
            message = f"{subject} has timed out progressing."
            conditions = with_new(conditions, condition(PROGRESSING, "False", TIMED_OUT, message, now))
    failure = _failure(replica_sets, new)
    conditions = with_new(conditions, failure) if failure else without(conditions, REPLICA_FAILURE)
    return {**status, "conditions": conditions}


def is_complete(deployment: Object, status: Object) -> bool:
    """Whether all pods are new ones and available, and no old one is left."""
    wanted = replicas(deployment)
    counts = (status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas"))
    generation: int = deployment["metadata"].get("generation", 0)
    return all(count == wanted for count in counts) and status.get("observedGeneration", 0) >= generation


def time_left(deployment: Object, status: Object, now: int) -> int | None:
    """Microseconds until the rollout's deadline; None when it has none, is over or rests."""
    current = find(conditions_of(deployment), PROGRESSING)
    if not has_deadline(deployment) or current is None:
        return None
    if is_complete(deployment, status) or current.get("reason") in (TIMED_OUT, NEW_SET_AVAILABLE, PAUSED):
        return None
    return _deadline(deployment, current) - now


def _was_complete(status: Object, current: Object | None) -> bool:
    done = status.get("replicas", 0) == status.get("updatedReplicas", 0)
    return done and current is not None and current.get("reason") == NEW_SET_AVAILABLE


def _has_progressed(before: Object, after: Object) -> bool:
    def old_pods(status: Object) -> int:
        count: int = status.get("replicas", 0) - status.get("updatedReplicas", 0)
        return count

    grown = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old_pods(after) < old_pods(before) or any(after.get(field, 0) > before.get(field, 0) for field in grown)


def _timed_out(deployment: Object, current: Object | None, now: int) -> bool:
    if current is None or current.get("reason") == NEW_SET_AVAILABLE:
        return False
    return current.get("reason") == TIMED_OUT or _deadline(deployment, current) < now


def _deadline(deployment: Object, current: Object) -> int:
    allowed: int = deployment["spec"]["progressDeadlineSeconds"]
    return since(current, "lastUpdateTime") + allowed * SECOND


def _failure(replica_sets: list[Object], new: Object | None) -> Object | None:
    """The condition ReplicaFailure of the new set, else of any, as the Deployment shows it."""
    for one in [new, *replica_sets] if new else replica_sets:
        found = find(one.get("status", {}).get("conditions", ()), REPLICA_FAILURE)
        if found:
            return {**found, "lastUpdateTime": found.get("lastTransitionTime")}
    return None
