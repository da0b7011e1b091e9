"""TaintToleration: taints keep pods off a node (NoSchedule, NoExecute) or make it less liked (PreferNoSchedule)."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from autograder.controlplane.apimachinery.taints import PREFER_NO_SCHEDULE, tolerated
from autograder.controlplane.kube_scheduler import taints
from autograder.controlplane.kube_scheduler.events import Action, ClusterEvent, Interest, Resource, is_own
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle, Window
from autograder.controlplane.kube_scheduler.node_info import NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.plugins.normalize import default_normalize
from autograder.controlplane.kube_scheduler.status import Status, unresolvable

REASON: Final = unresolvable("node(s) had untolerated taint(s)")


class TaintToleration:
    """See the module."""

    name = "TaintToleration"
    weight = 3

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down a node with a taint that the pod does not tolerate."""
        found = node.node.taints
        return REASON if found and taints.untolerated(pod, found) else None

    def sign_filter(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """The pod's tolerations."""
        return taints.sign(pod)

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        """How many taints the pod had rather not meet; the fewer the better."""
        soft = [taint for taint in node.node.taints if taint.effect == PREFER_NO_SCHEDULE]
        if not soft:
            return 0
        tolerations = pod.spec.get("tolerations") or ()
        return sum(not tolerated(tolerations, taint) for taint in soft)

    def sign_score(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """The pod's tolerations."""
        return taints.sign(pod)

    def normalize(self, cycle: Cycle, pod: PodInfo, window: Window, scores: list[int]) -> list[int]:
        """No such taint is 100, the most of them 0."""
        return default_normalize(scores, reverse=True)

    def interests(self) -> tuple[Interest, ...]:
        """A node lost a taint or is new; the pod tolerates more."""
        return (
            Interest((Resource.NODE,), Action.ADD | Action.NODE_TAINT, _welcome_now),
            Interest((Resource.UNSCHEDULED_POD,), Action.POD_TOLERATION, is_own),
        )


def _welcome_now(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.new is not None
    was_welcome = event.old is not None and not taints.untolerated(pod, NodeFacts.of(event.old).taints)
    return not was_welcome and not taints.untolerated(pod, NodeFacts.of(event.new).taints)
