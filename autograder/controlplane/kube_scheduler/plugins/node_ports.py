"""NodePorts: a port of the node (``hostPort``) can be taken once only."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from autograder.controlplane.kube_scheduler.events import PODS, Action, ClusterEvent, Interest, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import HostPort, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import SKIP, Status, unschedulable

REASON: Final = unschedulable("node(s) didn't have free ports for the requested pod ports")


class NodePorts:
    """See the module."""

    name = "NodePorts"

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status | None:
        """Most pods take no port of the node."""
        return None if pod.host_ports else SKIP

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down a node on which a port is taken."""
        return REASON if _conflict(pod.host_ports, node.ports) else None

    def sign_filter(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """The ports."""
        return pod.host_ports

    def interests(self) -> tuple[Interest, ...]:
        """A pod that took one of the ports is gone; a node is new."""
        return (
            Interest(PODS, Action.DELETE, _freed),
            Interest((Resource.NODE,), Action.ADD),
        )


def _conflict(wanted: tuple[HostPort, ...], taken: tuple[HostPort, ...]) -> bool:
    return any(one.conflicts(other) for one in wanted for other in taken)


def _freed(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.old is not None
    gone = PodInfo.of(event.old)
    return bool(gone.node_name or gone.nominated_node) and _conflict(pod.host_ports, gone.host_ports)
