"""What the watches bring keeps the picture of the nodes and the queue up to date, and gives waiting pods a chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Delta
from autograder.controlplane.kube_scheduler.events import Action, ClusterEvent, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.node_info import NodeFacts, PodInfo
from autograder.controlplane.kube_scheduler.queue import QueuedPod, SchedulingQueue

FINISHED: Final = ("Succeeded", "Failed")


class EventHandlers:
    """Hears the deltas of the informers, for the pods of one scheduler."""

    def __init__(self, handle: Handle, queue: SchedulingQueue, scheduler_name: str) -> None:
        self._handle = handle
        self._queue = queue
        self._scheduler_name = scheduler_name

    def hear(self) -> bool:
        """Take in what has happened since; True if anything has."""
        handle = self._handle
        heard = False
        if not handle.informers.has_news():
            return heard
        for informer, handler in (
            (handle.namespaces, None),
            (handle.services, None),
            (handle.replication_controllers, None),
            (handle.replica_sets, None),
            (handle.stateful_sets, None),
            (handle.disruption_budgets, None),
            (handle.storage_classes, self._storage_class),
            (handle.volumes, self._volume),
            (handle.claims, self._claim),
            (handle.nodes, self._node),
            (handle.pods, self._pod),
        ):
            for delta in informer.sync():
                heard = True
                if handler is not None:
                    handler(delta)
        handle.informers.caught_up()
        return heard

    def worth(self, queued: QueuedPod, event: ClusterEvent) -> bool:
        """Whether an event may let a waiting pod through."""
        framework = self._handle.framework
        if queued.gated_by and not framework.interested(queued.gated_by, event):
            return False
        if not queued.rejected_by:
            return True
        return framework.matters(self._handle, queued.pod, queued.rejected_by, event)

    def move(self, event: ClusterEvent, only: Callable[[PodInfo], bool] | None = None) -> None:
        """Something happened: give waiting pods their chance."""
        if self._queue.unschedulable:
            self._queue.move(event, self._handle.framework.concerns, self.worth, only)

    def _node(self, delta: Delta) -> None:
        cache = self._handle.cache
        old, new = delta
        if new is None:
            assert old is not None
            self.move(ClusterEvent(Resource.NODE, Action.DELETE, old, None))
            cache.remove_node(old["metadata"]["name"])
            return
        cache.set_node(NodeFacts.of(new))
        if self._queue.unschedulable:
            for action in [Action.ADD] if old is None else node_changes(old, new):
                self.move(ClusterEvent(Resource.NODE, action, old, new))

    def _pod(self, delta: Delta) -> None:
        old = delta.old if delta.old is not None and _alive(delta.old) else None
        new = delta.new if delta.new is not None and _alive(delta.new) else None
        if new is None:
            # A pod may end and be deleted in one go; then it has finished, but is still counted to its node.
            last = old or delta.object
            if old is not None or self._handle.cache.home(PodInfo.of(last).key):
                self._pod_gone(last)
        elif old is None:
            self._pod_came(new)
        elif old["spec"].get("nodeName"):
            self._handle.cache.set_pod(PodInfo.of(new))
            if self._queue.unschedulable:
                for action in pod_changes(old, new):
                    self.move(ClusterEvent(Resource.ASSIGNED_POD, action, old, new))
        elif new["spec"].get("nodeName"):
            self._pod_came(new)
            self._queue.delete(PodInfo.of(new).key)
            self._handle.nominator.set(PodInfo.of(new).key, "")
        elif self._responsible(new):
            self._pending_pod_changed(PodInfo.of(old), PodInfo.of(new))

    def _pod_came(self, obj: Object) -> None:
        pod = PodInfo.of(obj)
        if pod.node_name:
            self._handle.cache.set_pod(pod)
            self.move(ClusterEvent(Resource.ASSIGNED_POD, Action.ADD, None, obj))
        elif self._responsible(obj):
            self._handle.nominator.set(pod.key, pod.nominated_node)
            self._queue.add(pod)

    def _pod_gone(self, obj: Object) -> None:
        pod, cache = PodInfo.of(obj), self._handle.cache
        gone = ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE, obj, None)
        if pod.node_name:
            cache.remove_pod(pod.key)
            self.move(gone)
        elif self._responsible(obj):
            self._queue.delete(pod.key)
            self._handle.nominator.set(pod.key, "")
            if cache.is_assumed(pod.key):
                self._assumed_pod_gone(pod)
            elif pod.nominated_node:
                self.move(gone, lambda other: other.priority <= pod.priority)

    def _pending_pod_changed(self, old: PodInfo, new: PodInfo) -> None:
        if self._handle.cache.is_assumed(new.key):
            if new.terminating and not old.terminating:
                self._assumed_pod_gone(new)
            return
        changes = [
            ClusterEvent(Resource.UNSCHEDULED_POD, action, old.object, new.object)
            for action in pod_changes(old.object, new.object)
        ]
        self._handle.nominator.update(old, new)
        self._queue.update(new, changes, self.worth)
        if old.nominated_node and old.nominated_node != new.nominated_node:
            gone = ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE, old.object, None)
            self.move(gone, lambda other: other.priority <= old.priority)

    def _assumed_pod_gone(self, pod: PodInfo) -> None:
        known = self._handle.cache.pod(pod.key)
        self._handle.cache.forget(pod.key)
        if known is not None:
            self.move(ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE, known.object, None))

    def _claim(self, delta: Delta) -> None:
        self._changed(Resource.CLAIM, delta)

    def _volume(self, delta: Delta) -> None:
        self._changed(Resource.VOLUME, delta)

    def _storage_class(self, delta: Delta) -> None:
        self._changed(Resource.STORAGE_CLASS, delta)

    def _changed(self, resource: Resource, delta: Delta) -> None:
        action = Action.DELETE if delta.new is None else Action.ADD if delta.old is None else Action.UPDATE
        self.move(ClusterEvent(resource, action, delta.old, delta.new))

    def _responsible(self, pod: Object) -> bool:
        return bool(pod["spec"].get("schedulerName", self._scheduler_name) == self._scheduler_name)


def pod_changes(old: Object, new: Object) -> list[Action]:
    """What changed in a pod that may matter; a change that has no name of its own is ``UPDATE``."""
    return list(_pod_changes(old, new)) or [Action.UPDATE]


def _pod_changes(old: Object, new: Object) -> Iterator[Action]:
    if (old["metadata"].get("labels") or {}) != (new["metadata"].get("labels") or {}):
        yield Action.POD_LABEL
    if _scaled_down(PodInfo.of(old), PodInfo.of(new)):
        yield Action.POD_SCALE_DOWN
    if old["spec"].get("schedulingGates") and not new["spec"].get("schedulingGates"):
        yield Action.POD_GATES_GONE
    if len(old["spec"].get("tolerations") or ()) != len(new["spec"].get("tolerations") or ()):
        yield Action.POD_TOLERATION


def _scaled_down(old: PodInfo, new: PodInfo) -> bool:
    before, after = old.requests, new.requests
    if before == after:
        return False
    return (
        before.cpu > after.cpu
        or before.memory > after.memory
        or before.storage > after.storage
        or any(amount > after.scalar(name) for name, amount in before.scalars)
    )


def node_changes(old: Object, new: Object) -> list[Action]:
    """What changed in a node that may matter."""
    before, after = old.get("spec", {}), new.get("spec", {})
    changes = []
    if before.get("unschedulable") and not after.get("unschedulable"):
        changes.append(Action.NODE_TAINT)
    if old.get("status", {}).get("allocatable") != new.get("status", {}).get("allocatable"):
        changes.append(Action.NODE_ALLOCATABLE)
    if (old["metadata"].get("labels") or {}) != (new["metadata"].get("labels") or {}):
        changes.append(Action.NODE_LABEL)
    if (before.get("taints") or []) != (after.get("taints") or []):
        changes.append(Action.NODE_TAINT)
    if _conditions(old) != _conditions(new):
        changes.append(Action.NODE_CONDITION)
    if (old["metadata"].get("annotations") or {}) != (new["metadata"].get("annotations") or {}):
        changes.append(Action.NODE_ANNOTATION)
    return changes


def _conditions(node: Object) -> dict[str, str]:
    return {one["type"]: one["status"] for one in node.get("status", {}).get("conditions") or ()}


def _alive(pod: Object) -> bool:
    """Whether a pod still takes or wants room: those that have finished do not."""
    return pod.get("status", {}).get("phase") not in FINISHED
