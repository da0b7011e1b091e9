"""NodeName: a pod that names its node goes there or nowhere."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from autograder.controlplane.kube_scheduler.events import Action, Interest, Resource
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import Status, unresolvable

REASON: Final = unresolvable("node(s) didn't match the requested node name")


class NodeName:
    """See the module."""

    name = "NodeName"

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down every node but the one that is named."""
        return None if pod.node_name in ("", node.name) else REASON

    def sign_filter(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """The name."""
        return pod.node_name

    def interests(self) -> tuple[Interest, ...]:
        """A new node may be the one."""
        return (Interest((Resource.NODE,), Action.ADD),)
