"""NodeUnschedulable: a cordoned node takes no pods but those that tolerate it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from autograder.controlplane.apimachinery.taints import NO_SCHEDULE, Taint, tolerated
from autograder.controlplane.kube_scheduler.events import Action, ClusterEvent, Interest, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import Status, unresolvable

CORDON: Final = Taint("node.kubernetes.io/unschedulable", "", NO_SCHEDULE)
REASON: Final = unresolvable("node(s) were unschedulable")


class NodeUnschedulable:
    """See the module."""

    name = "NodeUnschedulable"

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down a cordoned node."""
        return REASON if node.node.unschedulable and not _tolerates_cordon(pod) else None

    def sign_filter(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """Whether the pod tolerates it."""
        return _tolerates_cordon(pod)

    def interests(self) -> tuple[Interest, ...]:
        """A node is uncordoned or new; the pod tolerates it now."""
        return (
            Interest((Resource.NODE,), Action.ADD | Action.NODE_TAINT, _open_now),
            Interest((Resource.UNSCHEDULED_POD,), Action.POD_TOLERATION, _tolerated_now),
        )


def _tolerates_cordon(pod: PodInfo) -> bool:
    return tolerated(pod.spec.get("tolerations") or (), CORDON)


def _open_now(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.new is not None
    was_open = event.old is not None and not event.old.get("spec", {}).get("unschedulable")
    return not event.new.get("spec", {}).get("unschedulable") and not was_open


def _tolerated_now(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.new is not None
    changed = PodInfo.of(event.new)
    return changed.uid == pod.uid and _tolerates_cordon(changed)
