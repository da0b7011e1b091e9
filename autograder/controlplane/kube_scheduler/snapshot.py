"""A snapshot of nodes that stands by itself: for trials, explanations and tests."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from autograder.controlplane.kube_scheduler.node_info import NodeInfo

T = TypeVar("T")


class PlainSnapshot:
    """Nodes in a given order; every column is worked out at every call."""

    def __init__(self, nodes: Sequence[NodeInfo]) -> None:
        self.nodes = nodes

    def get(self, name: str) -> NodeInfo | None:
        """One node, or None."""
        return next((node for node in self.nodes if node.name == name), None)

    def column(self, key: Hashable, compute: Callable[[NodeInfo], T]) -> list[T]:
        """A value for every node; ``key`` is for snapshots that remember."""
        return [compute(node) for node in self.nodes]

    @property
    def affine(self) -> dict[str, str]:
        """The node of every pod that says anything of other pods near it, by the pod's key."""
        return {key: node.name for node in self.nodes for key, pod in node.pods.items() if pod.has_pod_affinity}
