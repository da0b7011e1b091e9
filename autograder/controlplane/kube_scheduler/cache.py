"""The scheduler's picture of the nodes: kept up to date by watch events and by what it has just decided itself.

A pod that the scheduler has bound counts at once ("assumed"), before the watch brings it back.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, TypeVar

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.node_info import EMPTY_NODE, NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.node_tree import NodeTree

T = TypeVar("T")

#: The parts of a pod's ``spec`` that say what it needs.
NEEDS: Final = ("containers", "initContainers", "overhead", "resources")

#: How many columns are kept; the one that was not asked for the longest goes first.
COLUMNS: Final = 512


class Column(list[T]):
    """A value per node, and up to which change it is right."""

    __slots__ = ("compute", "seen")

    def __init__(self, compute: Callable[[NodeInfo], T], nodes: Sequence[NodeInfo], seen: int) -> None:
        super().__init__(map(compute, nodes))
        self.compute = compute
        self.seen = seen


class SchedulerCache:
    """The nodes and their pods.  ``nodes`` lists those that are there, in the order in which they are looked at."""

    def __init__(self) -> None:
        self.nodes: list[NodeInfo] = []
        self.affine: dict[str, str] = {}
        self.image_nodes: dict[str, int] = {}
        self.image_changes = 0
        self._tree = NodeTree()
        self._infos: dict[str, NodeInfo] = {}
        self._homes: dict[str, str] = {}
        self._assumed: set[str] = set()
        self._claims: dict[str, int] = {}
        self._positions: dict[str, int] = {}
        self._stale_order = False
        self._changes: list[int] = []
        self._columns: dict[Hashable, Column[Any]] = {}

    def fork(self) -> SchedulerCache:
        """The same picture, apart from this one; columns are worked out anew when they are asked for."""
        twin = SchedulerCache()
        twin.nodes, twin.affine, twin.image_nodes = self.nodes.copy(), self.affine.copy(), self.image_nodes.copy()
        twin.image_changes = self.image_changes
        twin._tree = self._tree.fork()
        twin._infos, twin._homes = self._infos.copy(), self._homes.copy()
        twin._assumed, twin._claims = self._assumed.copy(), self._claims.copy()
        twin._positions, twin._stale_order = self._positions.copy(), self._stale_order
        return twin

    def get(self, name: str) -> NodeInfo | None:
        """One node, or None if it is not there."""
        info = self._infos.get(name)
        return info if info is not None and info.facts is not None else None

    def refresh(self) -> None:
        """Bring the order of ``nodes`` up to date; to be called before a pod is decided on."""
        if self._stale_order:
            names = self._tree.names()
            self.nodes = [self._infos[name] for name in names]
            self._positions = {name: position for position, name in enumerate(names)}
            self._columns.clear()
            self._changes.clear()
            self._stale_order = False

    def column(self, key: Hashable, compute: Callable[[NodeInfo], T]) -> Sequence[T]:
        """A value for every node; only nodes that have changed since the last call are looked at."""
        columns, changes = self._columns, self._changes
        column = columns.pop(key, None)
        if column is None:
            if len(columns) >= COLUMNS:
                del columns[next(iter(columns))]
            column = Column(compute, self.nodes, len(changes))
        elif column.seen < len(changes):
            for position in set(changes[column.seen :]):
                column[position] = compute(self.nodes[position])
            column.seen = len(changes)
        columns[key] = column
        return column

    def claim_in_use(self, claim: str) -> bool:
        """Whether a pod on some node uses a claim, given as ``namespace/name``."""
        return claim in self._claims

    def set_node(self, facts: NodeFacts) -> None:
        """A node is new or has changed."""
        old = self._infos.get(facts.name, EMPTY_NODE)
        self._stale_order |= self._tree.set(facts.name, facts.labels)
        self._count_images(old.facts, facts)
        self._put(facts.name, old.with_facts(facts))

    def remove_node(self, name: str) -> None:
        """A node is gone; its pods may still be known."""
        old = self._infos.get(name)
        if old is None:
            return
        self._tree.remove(name)
        self._stale_order = True
        self._count_images(old.facts, None)
        if old.pods:
            self._infos[name] = old.with_facts(None)
        else:
            del self._infos[name]

    def set_pod(self, pod: PodInfo) -> None:
        """A pod that is bound to a node is new or has changed."""
        self._assumed.discard(pod.key)
        home = self._homes.get(pod.key)
        if home is not None and home != pod.node_name:
            self.remove_pod(pod.key)
            home = None
        info = self._infos.get(pod.node_name, EMPTY_NODE)
        if home is not None and _same_needs(info.pods[pod.key], pod):
            self._replace(pod.node_name, info.with_same(pod))
            return
        if home is not None:
            self._count_claims(info.pods[pod.key], -1)
        self._add(pod, pod.node_name)

    def remove_pod(self, key: str) -> None:
        """A pod has left its node."""
        home = self._homes.pop(key, None)
        if home is None:
            return
        self._assumed.discard(key)
        self.affine.pop(key, None)
        info = self._infos[home]
        self._count_claims(info.pods[key], -1)
        left = info.without(key)
        if left.facts is None and not left.pods:
            del self._infos[home]
        else:
            self._put(home, left)

    def assume(self, pod: PodInfo, node: str) -> None:
        """Count a pod to a node before it is bound."""
        self._assumed.add(pod.key)
        self._add(pod, node)

    def forget(self, key: str) -> None:
        """The assumed pod was not bound after all."""
        self.remove_pod(key)

    def is_assumed(self, key: str) -> bool:
        """Whether the pod is counted to a node and not yet known to be bound."""
        return key in self._assumed

    def pod(self, key: str) -> PodInfo | None:
        """A pod that is on a node (or assumed to be), or None."""
        home = self._homes.get(key)
        return self._infos[home].pods[key] if home is not None else None

    def home(self, key: str) -> str:
        """The node of a pod, or ''."""
        return self._homes.get(key, "")

    def _add(self, pod: PodInfo, node: str) -> None:
        self._homes[pod.key] = node
        if pod.has_pod_affinity:
            self.affine[pod.key] = node
        self._count_claims(pod, 1)
        self._put(node, self._infos.get(node, EMPTY_NODE).with_pod(pod))

    def _put(self, name: str, info: NodeInfo) -> None:
        """Take over a new state of a node in which something counts that the columns may look at."""
        self._replace(name, info)
        if not self._stale_order and info.facts is not None:
            self._changes.append(self._positions[name])
            if len(self._changes) > 4 * len(self.nodes) + 1000:
                self._columns.clear()
                self._changes.clear()

    def _replace(self, name: str, info: NodeInfo) -> None:
        self._infos[name] = info
        if not self._stale_order and info.facts is not None:
            self.nodes[self._positions[name]] = info

    def _count_images(self, old: NodeFacts | None, new: NodeFacts | None) -> None:
        before, after = old.images if old else {}, new.images if new else {}
        if before == after:
            return
        self.image_changes += 1
        for names, sign in ((before, -1), (after, 1)):
            for name in names:
                self.image_nodes[name] = self.image_nodes.get(name, 0) + sign

    def _count_claims(self, pod: PodInfo, sign: int) -> None:
        for volume in pod.spec.get("volumes", ()):
            if "persistentVolumeClaim" in volume:
                claim = f"{pod.namespace}/{volume['persistentVolumeClaim']['claimName']}"
                count = self._claims.pop(claim, 0) + sign
                if count > 0:
                    self._claims[claim] = count


def _same_needs(old: PodInfo, new: PodInfo) -> bool:
    """Whether nothing changed that a plugin may look at in a pod that is on a node."""
    if old.labels != new.labels or old.terminating != new.terminating or old.uid != new.uid:
        return False
    before, after = old.spec, new.spec
    if all(before.get(part) == after.get(part) for part in NEEDS) and _resized(old) == _resized(new):
        return True
    return old.requests == new.requests and old.scored_requests == new.scored_requests


def _resized(pod: PodInfo) -> list[Object]:
    """The container statuses that say that a container holds something else than it asks for."""
    status = pod.status
    listed = (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ()))
    held = [one for one in listed if "resources" in one or "allocatedResources" in one]
    if not held:
        return []
    spec = pod.spec
    containers = (*spec["containers"], *spec.get("initContainers", ()))
    wanted = {one["name"]: one.get("resources", {}).get("requests", {}) for one in containers}
    return [
        one
        for one in held
        if one.get("resources", {}).get("requests", {}) != wanted.get(one["name"])
        or one.get("allocatedResources", {}) != wanted.get(one["name"])
    ]
