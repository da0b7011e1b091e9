"""What controllers ask of pods: are they active, ready, available, and which ones go first.

Source: pkg/controller/controller_utils.go and pkg/api/v1/pod/util.go of Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cmp_to_key
from math import log2
from typing import Final

from autograder.controlplane.apimachinery import integers, timestamps
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Informer
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.conditions import find
from autograder.controlplane.kube_controller_manager.ownership import by_controller

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
TERMINAL_PHASES: Final = ("Succeeded", "Failed")
_PHASE_ORDER: Final = {"Pending": 0, "Unknown": 1, "Running": 2}

#: The index that ``by_owner`` keeps in the shared informer of pods.
BY_OWNER: Final = "owner"


def by_owner(pod: Object) -> Iterable[str]:
    """Index: the uid of the controller, or ``orphans/<namespace>`` for a pod that has none."""
    return by_controller(pod) or (orphans_of(pod["metadata"]["namespace"]),)


def orphans_of(namespace: str) -> str:
    """The value under which ``by_owner`` files the pods of a namespace that no controller owns."""
    return f"orphans/{namespace}"


def owned_and_orphans(pods: Informer, owner: Object) -> list[Object]:
    """The pods of an owner, then those of its namespace that it might adopt; ``pods`` has the index ``by_owner``."""
    meta = owner["metadata"]
    return [*pods.by_index(BY_OWNER, meta["uid"]), *pods.by_index(BY_OWNER, orphans_of(meta["namespace"]))]


def phase(pod: Object) -> str:
    """The pod's phase; a pod that has just been created may have none yet."""
    return pod.get("status", {}).get("phase", "")


def condition(pod: Object, kind: str) -> Object | None:
    """The condition of a type, or None."""
    return find(pod.get("status", {}).get("conditions", ()), kind)


def is_terminal(pod: Object) -> bool:
    """Whether its containers have ended for good."""
    return phase(pod) in TERMINAL_PHASES


def is_active(pod: Object) -> bool:
    """Whether it counts as a replica: neither finished nor being deleted."""
    return "deletionTimestamp" not in pod["metadata"] and not is_terminal(pod)


def is_terminating(pod: Object) -> bool:
    """Whether it is being deleted and has not ended yet."""
    return "deletionTimestamp" in pod["metadata"] and not is_terminal(pod)


def is_ready(pod: Object) -> bool:
    """Whether the condition Ready is True."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def ready_since(pod: Object) -> int:
    """When it became ready, in microseconds; 0 when it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True" or not found.get("lastTransitionTime"):
        return 0
    return timestamps.parse(found["lastTransitionTime"])


def is_available(pod: Object, min_ready_seconds: int, now: int) -> bool:
    """Whether it has been ready for at least ``min_ready_seconds``."""
    if not is_ready(pod):
        return False
    since = ready_since(pod)
    return min_ready_seconds == 0 or (since > 0 and since + min_ready_seconds * SECOND <= now)


def next_availability(pods: Iterable[Object], min_ready_seconds: int, now: int) -> int | None:
    """Microseconds until the next ready pod becomes available, or None."""
    waits = [ready_since(pod) + min_ready_seconds * SECOND - now for pod in pods if is_ready(pod)]
    return min((wait for wait in waits if wait > 0), default=None)


def restarts(pod: Object) -> tuple[int, int]:
    """The most restarts of any container, and of any sidecar."""
    status = pod.get("status", {})
    sidecars = {one["name"] for one in pod["spec"].get("initContainers", ()) if one.get("restartPolicy") == "Always"}
    regular = [one.get("restartCount", 0) for one in status.get("containerStatuses", ())]
    extra = [one.get("restartCount", 0) for one in status.get("initContainerStatuses", ()) if one["name"] in sidecars]
    return max(regular, default=0), max(extra, default=0)


def in_order_of_deletion(pods: Sequence[Object], ranks: Mapping[str, int], now: int) -> list[Object]:
    """Pods as a scale-down takes them.

    First those without a node, then by phase, not ready ones, cheap ones (``pod-deletion-cost``), those that share
    their node with many (``ranks``: node name -> number of related pods), young ones (by the power of two of their
    age, so that chance, here the uid, spreads the choice), those that restart, and new ones.
    """

    def compare(one: Object, other: Object) -> int:
        mine, its = _urgency(one, ranks), _urgency(other, ranks)
        if mine != its:
            return -1 if mine < its else 1
        if is_ready(one) and (difference := _compare_age(ready_since(one), ready_since(other), one, other, now)):
            return difference
        if restarts(one) != restarts(other):
            return -1 if restarts(one) > restarts(other) else 1
        return _compare_age(created(one), created(other), one, other, now)

    return sorted(pods, key=cmp_to_key(compare))


def _urgency(pod: Object, ranks: Mapping[str, int]) -> tuple[bool, int, bool, int, int]:
    node = pod["spec"].get("nodeName", "")
    return bool(node), _PHASE_ORDER.get(phase(pod), 0), is_ready(pod), deletion_cost(pod), -ranks.get(node, 0)


def deletion_cost(pod: Object) -> int:
    """The number in the pod's annotation; 0 when there is none, or none that can be read."""
    return integers.read(pod["metadata"].get("annotations", {}).get(DELETION_COST, "")) or 0


def created(obj: Object) -> int:
    """When an object was created, in microseconds."""
    return timestamps.parse(obj["metadata"]["creationTimestamp"])


def _compare_age(since: int, other_since: int, one: Object, other: Object, now: int) -> int:
    """Negative when ``one`` is in a younger class of age; classes are powers of two of nanoseconds."""
    if since == other_since:
        return 0
    if not since or not other_since:
        return -1 if not since else 1
    difference = _age_class(now - since) - _age_class(now - other_since)
    if difference:
        return difference
    return -1 if one["metadata"]["uid"] < other["metadata"]["uid"] else 1


def _age_class(age: int) -> int:
    return int(log2(age * 1000)) if age > 0 else -1
