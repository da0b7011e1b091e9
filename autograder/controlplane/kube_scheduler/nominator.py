"""Nominations: which pod waits for room on which node, after it has had other pods removed from there."""

from __future__ import annotations

from autograder.controlplane.kube_scheduler.node_info import PodInfo


class Nominator:
    """The node of every nominated pod.  The API is told too, but what stands here counts until it says otherwise."""

    def __init__(self) -> None:
        self._nodes: dict[str, str] = {}
        self._pods: dict[str, tuple[str, ...]] = {}

    def fork(self) -> Nominator:
        """The same nominations, apart from these."""
        twin = Nominator()
        twin._nodes, twin._pods = self._nodes.copy(), self._pods.copy()
        return twin

    def __bool__(self) -> bool:
        return bool(self._nodes)

    def pods_of(self, node: str) -> tuple[str, ...]:
        """The keys of the pods that are nominated for a node, in the order of their nomination."""
        return self._pods.get(node, ())

    def nodes(self) -> list[str]:
        """The nodes that some pod is nominated for."""
        return list(self._pods)

    def set(self, key: str, node: str) -> None:
        """Nominate a node for a pod; '' takes the nomination back."""
        known = self._nodes.pop(key, "")
        if known:
            rest = tuple(one for one in self._pods[known] if one != key)
            if rest:
                self._pods[known] = rest
            else:
                del self._pods[known]
        if node:
            self._nodes[key] = node
            self._pods[node] = (*self._pods.get(node, ()), key)

    def update(self, old: PodInfo, new: PodInfo) -> None:
        """A pending pod changed: follow what the API says of its nomination, unless it has not said anything yet."""
        if old.nominated_node or new.nominated_node:
            self.set(new.key, new.nominated_node)
