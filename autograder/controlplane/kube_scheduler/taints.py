"""Taints of nodes and tolerations of pods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.node_info import PodInfo, Taint

NO_SCHEDULE: Final = "NoSchedule"
PREFER_NO_SCHEDULE: Final = "PreferNoSchedule"
NO_EXECUTE: Final = "NoExecute"

Signature = tuple[tuple[str, str, str, str], ...]


def tolerates(toleration: Object, taint: Taint) -> bool:
    """Whether one toleration covers a taint; an empty key or effect covers all."""
    if toleration.get("effect") and toleration["effect"] != taint.effect:
        return False
    if toleration.get("key") and toleration["key"] != taint.key:
        return False
    operator = toleration.get("operator") or "Equal"
    return operator == "Exists" or (operator == "Equal" and toleration.get("value", "") == taint.value)


def tolerated(tolerations: Iterable[Object], taint: Taint) -> bool:
    """Whether any toleration covers a taint."""
    return any(tolerates(toleration, taint) for toleration in tolerations)


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
