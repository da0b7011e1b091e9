"""What controllers ask of nodes: whether they are ready, and which taints they have.

Source: pkg/controller/util/node, pkg/util/taints.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager.conditions import find


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
