"""NodeResourcesFit: what a pod requests must be free on the node; nodes with more left over are liked better."""

from __future__ import annotations

from collections.abc import Hashable

from autograder.controlplane.kube_scheduler.events import PODS, Action, ClusterEvent, Interest, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import MAX_NODE_SCORE, Cycle
from autograder.controlplane.kube_scheduler.node_info import EMPTY_NODE, NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.resources import CPU, MEMORY, STORAGE, Resources
from autograder.controlplane.kube_scheduler.status import Code, Status


class NodeResourcesFit:
    """See the module."""

    name = "NodeResourcesFit"
    weight = 1

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down a node with too little left; one that would be too small even when empty for good."""
        return _shortage(pod.requests, node)

    def sign_filter(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """What the pod requests."""
        return pod.requests

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        """The mean of the shares of CPU and memory that are left over, in hundredths."""
        cpu, memory = pod.scored_requests
        allocatable = node.node.allocatable
        shares = [
            _left_over(node.scored_cpu + cpu, allocatable.cpu),
            _left_over(node.scored_memory + memory, allocatable.memory),
        ]
        known = [share for share in shares if share is not None]
        return sum(known) // len(known) if known else 0

    def sign_score(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """What the pod requests, with the defaults."""
        return pod.scored_requests

    def interests(self) -> tuple[Interest, ...]:
        """A pod is gone or asks for less; a node is new or has more to give."""
        return (
            Interest(PODS, Action.DELETE | Action.POD_SCALE_DOWN, _freed),
            Interest((Resource.NODE,), Action.ADD | Action.NODE_ALLOCATABLE, _more_room),
        )


def _shortage(wanted: Resources, node: NodeInfo) -> Status | None:
    facts, requested = node.node, node.requested
    allocatable = facts.allocatable
    reasons: list[str] = []
    hopeless = False
    if len(node.pods) >= facts.allowed_pods:
        reasons.append("Too many pods")
    for name, want, have, taken in (
        (CPU, wanted.cpu, allocatable.cpu, requested.cpu),
        (MEMORY, wanted.memory, allocatable.memory, requested.memory),
        (STORAGE, wanted.storage, allocatable.storage, requested.storage),
    ):
        if want and want > have - taken:
            reasons.append(f"Insufficient {name}")
            hopeless |= want > have
    for name, want in wanted.scalars:
        have = allocatable.scalar(name)
        if want > have - requested.scalar(name):
            reasons.append(f"Insufficient {name}")
            hopeless |= want > have
    if not reasons:
        return None
    return Status(Code.UNRESOLVABLE if hopeless else Code.UNSCHEDULABLE, tuple(reasons))


def _left_over(requested: int, capacity: int) -> int | None:
    if not capacity:
        return None
    return (capacity - requested) * MAX_NODE_SCORE // capacity if requested <= capacity else 0


def _freed(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.old is not None
    old = PodInfo.of(event.old)
    if event.new is None:
        return bool(old.node_name or old.nominated_node)
    new = PodInfo.of(event.new)
    if new.uid == pod.uid:
        return True
    if not new.node_name:
        return False
    before, after, wanted = old.requests, new.requests, pod.requests
    return (
        (bool(wanted.cpu) and before.cpu > after.cpu)
        or (bool(wanted.memory) and before.memory > after.memory)
        or (bool(wanted.storage) and before.storage > after.storage)
        or any(before.scalar(name) > after.scalar(name) for name, _ in wanted.scalars)
    )


def _more_room(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.new is not None
    new, wanted = NodeFacts.of(event.new), pod.requests
    if _shortage(wanted, EMPTY_NODE.with_facts(new)) is not None:
        return False
    if event.old is None:
        return True
    old = NodeFacts.of(event.old)
    before, after = old.allocatable, new.allocatable
    return (
        new.allowed_pods > old.allowed_pods
        or (bool(wanted.cpu) and after.cpu > before.cpu)
        or (bool(wanted.memory) and after.memory > before.memory)
        or (bool(wanted.storage) and after.storage > before.storage)
        or any(after.scalar(name) > before.scalar(name) for name, _ in wanted.scalars)
    )
