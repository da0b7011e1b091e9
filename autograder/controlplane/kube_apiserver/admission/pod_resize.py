"""Changes of a pod that its node must allow: by the features that it declares, and by how large it is.

Source: plugin/pkg/admission/nodedeclaredfeatures and podresize, and nodedeclaredfeatures/features of component-helpers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from autograder.controlplane.apimachinery import resources
from autograder.controlplane.apimachinery.errors import Forbidden
from autograder.controlplane.apimachinery.field import quoted
from autograder.controlplane.apimachinery.quota import ZERO
from autograder.controlplane.apimachinery.scheme import NODES, PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin, forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes

RESIZE_OF_PODS: Final = "InPlacePodLevelResourcesVerticalScaling"
RESIZE_OF_INIT_CONTAINERS: Final = "InPlacePodVerticalScalingInitContainers"
_OS: Final = "kubernetes.io/os"


class NodeDeclaredFeatureValidator(Plugin):
    """Refuses updates of a pod that take a feature which its node does not declare."""

    operations = ("UPDATE",)

    def validate(self, attributes: Attributes) -> None:
        new, old = attributes.object, attributes.old
        if not _is_changed(attributes, "", "resize"):
            return
        assert new is not None and old is not None
        wanted = list(_features(new["spec"], old["spec"]))
        if not wanted:
            return
        node = _node_of(self, attributes)
        missing = [name for name in wanted if name not in (node.get("status", {}).get("declaredFeatures") or ())]
        if missing:
            where = f"on node {quoted(node['metadata']['name'])}"
            why = f"pod update requires features {', '.join(missing)} which are not available {where}"
            raise forbidden(attributes, why)


class PodResizeValidator(Plugin):
    """Refuses to resize a pod on a node that does not resize pods, and to more than its node has in all."""

    operations = ("UPDATE",)

    def validate(self, attributes: Attributes) -> None:
        if not _is_changed(attributes, "resize"):
            return
        assert attributes.object is not None
        node = _node_of(self, attributes)
        name, system = node["metadata"]["name"], node["metadata"].get("labels", {}).get(_OS, "linux")
        if system != "linux":
            why = f"pod resize is only supported on linux nodes, node {quoted(name)} is {quoted(system)}"
            raise _refused(attributes, why, "UnsupportedPlatform")
        asked = resources.pod_requests(attributes.object["spec"])
        has = resources.parsed(node.get("status", {}).get("allocatable"))
        told = []
        for resource in ("cpu", "memory"):
            wanted, most = asked.get(resource, ZERO), has.get(resource, ZERO)
            if wanted > most:
                amounts = (wanted.milli_value, most.milli_value) if resource == "cpu" else (wanted.value, most.value)
                told.append(f"{resource}, requested: {amounts[0]}, allocatable: {amounts[1]}")
        if told:
            why = f"node didn't have enough allocatable resources: {'; '.join(told)}"
            raise _refused(attributes, why, "NodeCapacity")


def _is_changed(attributes: Attributes, *parts: str) -> bool:
    """Whether the spec of a pod that has a node is changed through one of these parts."""
    new, old = attributes.object, attributes.old
    if attributes.kind is not PODS or attributes.subresource not in parts or new is None or old is None:
        return False
    if not new["spec"].get("nodeName"):
        return False
    return bool(new["metadata"].get("generation") != old["metadata"].get("generation"))


def _features(new: Object, old: Object) -> Iterator[str]:
    """The features that a node must declare for such a change."""
    if new.get("resources") != old.get("resources"):
        yield RESIZE_OF_PODS
    pairs = zip(new.get("initContainers", ()), old.get("initContainers", ()), strict=False)
    if any(now.get("resources") != was.get("resources") for now, was in pairs if was.get("restartPolicy") != "Always"):
        yield RESIZE_OF_INIT_CONTAINERS


def _node_of(plugin: Plugin, attributes: Attributes) -> Object:
    assert attributes.object is not None
    name = attributes.object["spec"]["nodeName"]
    node = plugin.backend.read(NODES, "", name)
    if node is None:
        raise forbidden(attributes, f"node {quoted(name)} not found")
    return node


def _refused(attributes: Attributes, why: str, reason: str) -> Forbidden:
    """The refusal, with a cause that programs can read."""
    error = forbidden(attributes, why)
    assert error.details is not None
    error.details["causes"] = [{"reason": reason}]
    return error
