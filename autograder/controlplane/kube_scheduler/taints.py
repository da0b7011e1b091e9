"""What the taints of a node mean for a pod that is to be scheduled."""

from __future__ import annotations

from collections.abc import Iterable

from autograder.controlplane.apimachinery.taints import PREFER_NO_SCHEDULE, Taint, tolerated
from autograder.controlplane.kube_scheduler.node_info import PodInfo

Signature = tuple[tuple[str, str, str, str], ...]


def untolerated(pod: PodInfo, taints: Iterable[Taint]) -> Taint | None:
    """The first taint that keeps the pod off the node, or None."""
    tolerations = pod.spec.get("tolerations") or ()
    for taint in taints:
        if taint.effect != PREFER_NO_SCHEDULE and not tolerated(tolerations, taint):
            return taint
    return None


def sign(pod: PodInfo) -> Signature:
    """The pod's tolerations as far as they bear on taints."""
    return tuple(
        (one.get("key", ""), one.get("operator", ""), one.get("value", ""), one.get("effect", ""))
        for one in pod.spec.get("tolerations") or ()
    )
