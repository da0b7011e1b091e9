"""Which pods a kubelet refuses: those that were put on its node past the scheduler, and do not fit there.

Texts and the order of resources are those of pkg/kubelet/lifecycle/predicate.go and of the plugin NodeResourcesFit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kubelet import resources
from autograder.controlplane.kubelet.pod_status import TERMINAL

#: Pods of this priority and more take the place of others; a kubelet does not refuse them.
CRITICAL_PRIORITY: Final = 2_000_000_000
_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")


class Misfit(NamedTuple):
    """Why a pod is refused: a machine-readable reason, and words."""

    reason: str
    message: str


def was_scheduled(pod: Object) -> bool:
    """Whether the scheduler has chosen the node, and so has made sure that the pod fits."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "PodScheduled" and one["status"] == "True" for one in conditions)


def misfit(pod: Object, node: Object, others: Iterable[Object]) -> Misfit | None:
    """Why a pod does not fit on a node beside the pods that are there; None if it does."""
    spec = pod["spec"]
    if spec.get("priority", 0) >= CRITICAL_PRIORITY:
        return None
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    there = [other for other in others if (other.get("status") or {}).get("phase") not in TERMINAL]
    capacity = _amount("pods", allocatable.get("pods", "0"))
    if len(there) + 1 > capacity:
        return _refused("pods", 1, len(there), capacity)
    wanted = resources.pod_requests(spec)
    for name in _COMPUTE:
        asked = _amount(name, wanted.get(name, "0"))
        if not asked:
            continue
        used = sum(_amount(name, resources.pod_requests(other["spec"]).get(name, "0")) for other in there)
        capacity = _amount(name, allocatable.get(name, "0"))
        if asked > capacity - used:
            return _refused(name, asked, used, capacity)
    return None


def _refused(name: str, asked: int, used: int, capacity: int) -> Misfit:
    words = f"Node didn't have enough resource: {name}, requested: {asked}, used: {used}, capacity: {capacity}"
    return Misfit(f"OutOf{name}", words)


def _amount(name: str, text: str) -> int:
    """An amount as the kubelet counts it: thousandths of a CPU, or bytes."""
    parsed = quantity.parse(text)
    return parsed.at_scale(quantity.MILLI) if name == "cpu" else parsed.value
