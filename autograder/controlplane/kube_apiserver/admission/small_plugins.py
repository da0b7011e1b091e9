"""Admission plugins that set one thing each."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.scheme import (
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    ResourceType,
    resource,
)
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin
from autograder.controlplane.kube_apiserver.attributes import Attributes

DEFAULT_CLASS_ANNOTATION: Final = "storageclass.kubernetes.io/is-default-class"
NOT_READY: Final = "node.kubernetes.io/not-ready"
UNREACHABLE: Final = "node.kubernetes.io/unreachable"
EVICTION_SECONDS: Final = 300


class DefaultTolerationSeconds(Plugin):
    """Lets a pod stay for 300 s on a node that is not ready or cannot be reached, unless it says otherwise."""

    def admit(self, attributes: Attributes) -> None:
        if attributes.kind is not PODS or attributes.subresource:
            return
        assert attributes.object is not None
        spec = attributes.object["spec"]
        tolerations = spec.get("tolerations", [])
        added = [
            {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": EVICTION_SECONDS}
            for key in (NOT_READY, UNREACHABLE)
            if not any(_tolerates(toleration, key) for toleration in tolerations)
        ]
        if added:
            spec["tolerations"] = [*tolerations, *added]


class TaintNodesByCondition(Plugin):
    """A new node may not be scheduled to until the node controller has seen it ready."""

    operations = ("CREATE",)

    def admit(self, attributes: Attributes) -> None:
        if attributes.kind is not NODES or attributes.subresource:
            return
        assert attributes.object is not None
        spec = attributes.object.setdefault("spec", {})
        taint = {"key": NOT_READY, "effect": "NoSchedule"}
        taints = spec.get("taints", [])
        if not any((one.get("key"), one.get("effect")) == (NOT_READY, "NoSchedule") for one in taints):
            spec["taints"] = [*taints, taint]


class DefaultStorageClass(Plugin):
    """A claim that names no storage class gets the default one, if there is one."""

    operations = ("CREATE",)

    def admit(self, attributes: Attributes) -> None:
        if attributes.kind is not PERSISTENTVOLUMECLAIMS or attributes.subresource:
            return
        assert attributes.object is not None
        spec = attributes.object["spec"]
        if "storageClassName" in spec:
            return
        default = self._default()
        if default:
            spec["storageClassName"] = default

    def _default(self) -> str:
        """The name of the newest class that is marked as default."""
        marked = [
            one
            for one in self.backend.read_all(resource("storageclasses", "storage.k8s.io"))
            if one["metadata"].get("annotations", {}).get(DEFAULT_CLASS_ANNOTATION) == "true"
        ]
        newest: Object = max(marked, key=lambda one: one["metadata"]["creationTimestamp"], default={})
        return newest["metadata"]["name"] if newest else ""


class StorageObjectInUseProtection(Plugin):
    """A volume or claim that is in use is not removed before nobody uses it any longer."""

    operations = ("CREATE",)
    FINALIZERS: Final[dict[ResourceType, str]] = {
        PERSISTENTVOLUMECLAIMS: "kubernetes.io/pvc-protection",
        PERSISTENTVOLUMES: "kubernetes.io/pv-protection",
    }

    def admit(self, attributes: Attributes) -> None:
        finalizer = self.FINALIZERS.get(attributes.kind)
        if not finalizer or attributes.subresource:
            return
        assert attributes.object is not None
        meta = attributes.object["metadata"]
        if finalizer not in meta.get("finalizers", ()):
            meta["finalizers"] = [*meta.get("finalizers", ()), finalizer]


def _tolerates(toleration: Object, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
