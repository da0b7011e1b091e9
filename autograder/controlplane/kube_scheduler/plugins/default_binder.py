"""DefaultBinder: tells the API server the pod's node, by posting a Binding."""

from __future__ import annotations

from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import PodInfo
from autograder.controlplane.kube_scheduler.status import Status


class DefaultBinder:
    """See the module."""

    name = "DefaultBinder"

    def bind(self, cycle: Cycle, pod: PodInfo, node: str) -> Status | None:
        """Post ``pods/binding``.  Raises ``StatusError`` when it is refused."""
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"namespace": pod.namespace, "name": pod.name, "uid": pod.uid},
            "target": {"kind": "Node", "name": node},
        }
        cycle.handle.client.create(PODS, pod.namespace, binding, "binding", pod.name)
        return None
