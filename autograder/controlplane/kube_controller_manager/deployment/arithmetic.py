"""How many pods each ReplicaSet of a Deployment gets: surge, unavailability, proportions.

Pure functions of the objects.  Source: pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import floor
from typing import Final

from autograder.controlplane.apimachinery import integers, intstr
from autograder.controlplane.apimachinery.wire import Object

DESIRED_REPLICAS: Final = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS: Final = "deployment.kubernetes.io/max-replicas"
_LARGEST: Final = 2**31 - 1


def replicas(obj: Object) -> int:
    """The pods that a Deployment or ReplicaSet asks for."""
    count: int = obj["spec"].get("replicas", 1)
    return count


def status_count(replica_sets: Iterable[Object], field: str) -> int:
    """The sum of a field of the statuses, such as ``availableReplicas``."""
    return sum(one.get("status", {}).get(field, 0) for one in replica_sets)


def total(replica_sets: Iterable[Object]) -> int:
    """The pods that ReplicaSets ask for together."""
    return sum(map(replicas, replica_sets))


def active(replica_sets: Iterable[Object]) -> list[Object]:
    """The ReplicaSets that ask for pods."""
    return [one for one in replica_sets if replicas(one) > 0]


def is_rolling(deployment: Object) -> bool:
    """Whether the strategy is RollingUpdate."""
    kind: str = deployment["spec"].get("strategy", {}).get("type", "RollingUpdate")
    return kind == "RollingUpdate"


def fenceposts(deployment: Object) -> tuple[int, int]:
    """``maxSurge`` and ``maxUnavailable`` as numbers; surge is rounded up, the other down, and not both are 0."""
    rolling = deployment["spec"].get("strategy", {}).get("rollingUpdate", {})
    surge = intstr.scaled(rolling.get("maxSurge", 0), replicas(deployment), round_up=True)
    unavailable = intstr.scaled(rolling.get("maxUnavailable", 0), replicas(deployment), round_up=False)
    return surge, unavailable or (0 if surge else 1)


def max_surge(deployment: Object) -> int:
    """How many pods more than wanted a rolling update may have."""
    return fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Object) -> int:
    """How many of the wanted pods may be unavailable during a rolling update."""
    if not is_rolling(deployment) or replicas(deployment) == 0:
        return 0
    return min(fenceposts(deployment)[1], replicas(deployment))


def size_of_new(deployment: Object, replica_sets: Iterable[Object], current: int) -> int:
    """The size to which the new ReplicaSet, now ``current``, may grow next to the others."""
    if not is_rolling(deployment):
        return replicas(deployment)
    room = replicas(deployment) + max_surge(deployment) - total(replica_sets)
    return current + min(room, replicas(deployment) - current) if room > 0 else current


def proportional_sizes(deployment: Object, replica_sets: list[Object]) -> dict[str, int]:
    """Sizes by name when a Deployment is scaled in the middle of a rollout: each set grows or shrinks by its share.

    ``replica_sets`` are the active ones, the one that gets what rounding leaves over first.
    """
    allowed = replicas(deployment) + max_surge(deployment) if replicas(deployment) > 0 else 0
    to_add = allowed - total(replica_sets)
    added = 0
    sizes: dict[str, int] = {}
    for one in replica_sets:
        share = _share(deployment, one, to_add - added) if to_add else 0
        sizes[one["metadata"]["name"]] = replicas(one) + share
        added += share
    if to_add and replica_sets:
        largest = replica_sets[0]["metadata"]["name"]
        sizes[largest] = max(0, sizes[largest] + to_add - added)
    return sizes


def in_order_of_growth(deployment: Object, replica_sets: list[Object]) -> list[Object]:
    """Large sets first; of equal ones the newer first when pods are added, the older first when they are removed."""
    allowed = replicas(deployment) + max_surge(deployment) if replicas(deployment) > 0 else 0
    by_age = sorted(replica_sets, key=by_creation, reverse=allowed > total(replica_sets))
    return sorted(by_age, key=replicas, reverse=True)


def by_creation(replica_set: Object) -> tuple[str, str]:
    """Sort key: oldest first, then by name."""
    return replica_set["metadata"]["creationTimestamp"], replica_set["metadata"]["name"]


def is_saturated(deployment: Object, replica_set: Object | None) -> bool:
    """Whether one set has all pods that the Deployment wants, and all are available."""
    if replica_set is None:
        return False
    wanted = replicas(deployment)
    return (
        replicas(replica_set) == wanted
        and annotated(replica_set, DESIRED_REPLICAS) == wanted
        and status_count((replica_set,), "availableReplicas") == wanted
    )


def annotated(replica_set: Object, annotation: str) -> int | None:
    """The count in an annotation; None when there is none or it is no count."""
    count = integers.read(replica_set["metadata"].get("annotations", {}).get(annotation, ""))
    return count if count is not None and 0 <= count <= _LARGEST else None


def _share(deployment: Object, replica_set: Object, allowed: int) -> int:
    if not allowed or not replicas(replica_set):
        return 0
    share = _fraction(deployment, replica_set)
    return min(share, allowed) if allowed > 0 else max(share, allowed)


def _fraction(deployment: Object, replica_set: Object) -> int:
    """By how much the set must change to keep its part of the whole."""
    if replicas(deployment) == 0:
        return -replicas(replica_set)
    before = annotated(replica_set, MAX_REPLICAS) or deployment.get("status", {}).get("replicas", 0)
    if not before:
        return 0
    size = replicas(replica_set) * (replicas(deployment) + max_surge(deployment)) / before
    return floor(size + 0.5) - replicas(replica_set)
