"""What controllers ask of nodes: whether they are ready, and which taints they have.

Source: pkg/controller/util/node, pkg/util/taints.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager.conditions import find

#: The keys of the taints that stand for what is wrong with a node.
NOT_READY: Final = "node.kubernetes.io/not-ready"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
MEMORY_PRESSURE: Final = "node.kubernetes.io/memory-pressure"
DISK_PRESSURE: Final = "node.kubernetes.io/disk-pressure"
PID_PRESSURE: Final = "node.kubernetes.io/pid-pressure"
NETWORK_UNAVAILABLE: Final = "node.kubernetes.io/network-unavailable"


def ready_condition(node: Object) -> Object | None:
    """The condition Ready, or None."""
    return find(node.get("status", {}).get("conditions", ()), "Ready")


def is_ready(node: Object) -> bool:
    """Whether the condition Ready is True."""
    found = ready_condition(node)
    return found is not None and found["status"] == "True"


def taints_of(node: Object) -> list[Object]:
    """The taints; not to be changed."""
    taints: list[Object] = node["spec"].get("taints", [])
    return taints


def has_taint(node: Object, key: str, effect: str = "") -> bool:
    """Whether the node has a taint of this key (and effect, if one is given)."""
    return any(one["key"] == key and effect in ("", one["effect"]) for one in taints_of(node))
