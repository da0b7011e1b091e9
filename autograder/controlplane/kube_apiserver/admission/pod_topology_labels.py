"""PodTopologyLabels: a pod that is given a node gets the labels that say where the node stands."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.scheme import NODES, PODS
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.backend import Backend

LABELS: Final = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


class PodTopologyLabels(Plugin):
    """Labels new pods that have a node; those that the scheduler binds are labelled by their Binding."""

    operations = ("CREATE",)

    def admit(self, attributes: Attributes) -> None:
        if attributes.kind is not PODS or attributes.subresource:
            return
        assert attributes.object is not None
        found = labels_of(self.backend, attributes.object["spec"].get("nodeName", ""))
        if found:
            metadata = attributes.object["metadata"]
            metadata["labels"] = dict(sorted({**metadata.get("labels", {}), **found}.items()))


def labels_of(backend: Backend, node: str) -> dict[str, str]:
    """The labels of a node that its pods get."""
    obj = backend.read(NODES, "", node) if node else None
    labels = obj["metadata"].get("labels", {}) if obj else {}
    return {name: labels[name] for name in LABELS if name in labels}
