"""The pod garbage collector: pods that no kubelet will ever clear away.

Source: pkg/controller/podgc.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import NODES, PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_node
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import nodes
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.controller import (
    COMPONENT,
    Controller,
    ControllerContext,
    Subscriptions,
)
from autograder.controlplane.kube_controller_manager.tainteviction import with_disruption

PERIOD: Final = 20 * SECOND
#: A node that is missing gets this long to show up.
QUARANTINE: Final = 40 * SECOND
MOST_TERMINATED: Final = 12_500
TICK: Final = "tick"
OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service"


class PodGCController(Controller):
    """Clears away pods of nodes that are gone, and the like."""

    name = "pod-garbage-collector-controller"
    service_account = "pod-garbage-collector"
    event_source = "pod-garbage-collector"
    STATE = ("quarantine",)

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.nodes = self.informers.informer(NODES)
        self.pods = self.informers.informer(PODS, node=by_node)
        self.quarantine: dict[str, int] = {}

    def subscriptions(self) -> Subscriptions:
        return {self.nodes: self.on_node}

    def start(self) -> None:
        self.queue.add_after(TICK, PERIOD, periodic=True)

    def on_node(self, delta: Delta) -> None:
        """A node is gone: the next round is one that somebody may wait for."""
        due = self.clock.due(COMPONENT, (self.name, TICK))
        if delta.new is None and due is not None:
            self.clock.set(COMPONENT, (self.name, TICK), due)

    def reconcile(self, key: str) -> None:
        pods = sorted(self.pods, key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
        finished = [pod for pod in pods if podlib.is_terminal(pod)]
        for pod in finished[: max(0, len(finished) - MOST_TERMINATED)]:
            self._remove(pod)
        for pod in pods:
            if "deletionTimestamp" in pod["metadata"] and self._is_stranded(pod):
                self._remove(pod)
        self._collect_orphans(pods)
        self.queue.add_after(TICK, PERIOD, periodic=not self.quarantine)

    def _is_stranded(self, pod: Object) -> bool:
        """Whether a pod that is to go has no node, or one that is out of service."""
        name = pod["spec"].get("nodeName", "")
        if not name:
            return True
        node = self.nodes.get("", name)
        return node is not None and not nodes.is_ready(node) and nodes.has_taint(node, OUT_OF_SERVICE)

    def _collect_orphans(self, pods: list[Object]) -> None:
        """Pods of nodes that have been missing for long enough."""
        names = {name for pod in pods if (name := pod["spec"].get("nodeName", "")) and not self.nodes.get("", name)}
        for name in sorted(names - self.quarantine.keys()):
            self.quarantine[name] = self.clock.now + QUARANTINE
        for name, due in sorted(self.quarantine.items()):
            if name not in names:
                del self.quarantine[name]
            elif due <= self.clock.now:
                del self.quarantine[name]
                for pod in self.pods.by_index("node", name):
                    self._remove(with_disruption(pod, self.now, "DeletionByPodGC", "PodGC: node no longer exists"))

    def _remove(self, pod: Object) -> None:
        """Delete a pod at once; one that has not ended has failed."""
        meta = pod["metadata"]
        try:
            if not podlib.is_terminal(pod):
                self.client.update(PODS, {**pod, "status": {**pod.get("status", {}), "phase": "Failed"}}, "status")
            self.client.delete(PODS, meta["namespace"], meta["name"], grace_period=0)
        except NotFound:
            return
