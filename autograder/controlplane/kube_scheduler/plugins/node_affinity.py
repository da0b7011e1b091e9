"""NodeAffinity: ``nodeSelector`` and node affinity say which nodes a pod may be on, and which it had better be on."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from autograder.controlplane.apimachinery.node_selector import (
    PREFERRED,
    RequiredNodes,
    Term,
    node_affinity,
    required,
    term,
)
from autograder.controlplane.kube_scheduler.events import Action, ClusterEvent, Interest, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle, Window
from autograder.controlplane.kube_scheduler.node_info import NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.plugins.normalize import default_normalize
from autograder.controlplane.kube_scheduler.status import SKIP, Status, unresolvable

REASON: Final = unresolvable("node(s) didn't match Pod's node affinity/selector")
CONFLICT: Final = unresolvable("pod affinity terms conflict")

Preferences = tuple[tuple[int, Term], ...]


class NodeAffinity:
    """See the module."""

    name = "NodeAffinity"
    weight = 2

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status | frozenset[str] | None:
        """Work out what the pod asks; if it names nodes, only those are looked at."""
        wanted = required(pod.spec)
        if wanted.anywhere:
            return SKIP
        cycle.filter_data[self.name] = wanted
        if not wanted.terms:
            return None
        names: set[str] = set()
        for one in wanted.terms:
            named = [each.values for each in one.fields.requirements if each.operator == "in"]
            if not named:
                return None
            names |= frozenset.intersection(*named)
        return frozenset(names) if names else CONFLICT

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down nodes that do not match."""
        wanted: RequiredNodes = cycle.filter_data[self.name]
        return None if _admits(wanted, node.node) else REASON

    def sign_filter(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """What the pod asks."""
        wanted: Hashable = cycle.filter_data[self.name]
        return wanted

    def pre_score(self, cycle: Cycle, pod: PodInfo, window: Window) -> Status | None:
        """Work out what the pod prefers."""
        preferred = node_affinity(pod.spec).get(PREFERRED)
        if not preferred:
            return SKIP
        cycle.score_data[self.name] = tuple((one["weight"], term(one["preference"])) for one in preferred)
        return None

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        """The weights of the preferences that the node fulfils; one without conditions every node fulfils not."""
        preferences: Preferences = cycle.score_data[self.name]
        return sum(weight for weight, one in preferences if one.matches(node.name, node.node.labels))

    def sign_score(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """What the pod prefers."""
        preferences: Hashable = cycle.score_data[self.name]
        return preferences

    def normalize(self, cycle: Cycle, pod: PodInfo, window: Window, scores: list[int]) -> list[int]:
        """The best node gets 100."""
        return default_normalize(scores, reverse=False)

    def interests(self) -> tuple[Interest, ...]:
        """A node is new or was labelled so that it matches now."""
        return (Interest((Resource.NODE,), Action.ADD | Action.NODE_LABEL, _matches_now),)


def _matches_now(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.new is not None
    wanted = required(pod.spec)
    matched = event.old is not None and _admits(wanted, NodeFacts.of(event.old))
    return not matched and _admits(wanted, NodeFacts.of(event.new))


def _admits(wanted: RequiredNodes, node: NodeFacts) -> bool:
    return wanted.matches(node.name, node.labels)
