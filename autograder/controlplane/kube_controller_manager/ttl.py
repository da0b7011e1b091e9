"""The TTL controller: tells kubelets by an annotation for how long they may keep Secrets and ConfigMaps.

The larger the cluster, the longer.  Source: pkg/controller/ttl.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.scheme import NODES
from autograder.controlplane.client.informer import Delta
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions

ANNOTATION: Final = "node.alpha.kubernetes.io/ttl"
#: Up to how many nodes -> seconds; where two overlap, the cluster stays with what it has.
STEPS: Final = ((0, 100, 0), (90, 500, 15), (450, 1000, 30), (900, 2000, 60), (1800, 2**31, 300))


class TTLController(Controller):
    """Annotates nodes."""

    name = "ttl-controller"
    service_account = "ttl-controller"
    event_source = "ttl-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.nodes = self.informers.informer(NODES)

    def subscriptions(self) -> Subscriptions:
        return {self.nodes: self.on_node}

    def on_node(self, delta: Delta) -> None:
        if delta.new is not None:
            known = delta.new["metadata"].get("annotations", {}).get(ANNOTATION)
            if delta.old is None or known != str(self._seconds(known)):
                self.queue.add(delta.new["metadata"]["name"])

    def _seconds(self, known: str | None) -> int:
        """What a node's annotation shall say; ``known`` may stay while the size of the cluster allows it."""
        size = len(self.nodes)
        fitting = [seconds for least, most, seconds in STEPS if least <= size <= most]
        return next((seconds for seconds in fitting if str(seconds) == known), fitting[0])

    def reconcile(self, key: str) -> None:
        node = self.nodes.get("", key)
        if node is None:
            return
        known = node["metadata"].get("annotations", {}).get(ANNOTATION)
        wanted = str(self._seconds(known))
        if known != wanted:
            self.client.patch(NODES, "", key, {"metadata": {"annotations": {ANNOTATION: wanted}}})
