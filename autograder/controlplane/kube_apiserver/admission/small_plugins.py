"""Admission plugins that set one thing each."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import classes
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

STORAGE_CLASSES: Final = resource("storageclasses", "storage.k8s.io")
INGRESSES: Final = resource("ingresses", "networking.k8s.io")
INGRESS_CLASSES: Final = resource("ingressclasses", "networking.k8s.io")
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
        if default := classes.default_of(self.backend.read_all(STORAGE_CLASSES)):
            spec["storageClassName"] = default["metadata"]["name"]


class DefaultIngressClass(Plugin):
    """An Ingress that names no class gets the default one, if there is one."""

    operations = ("CREATE",)

    def admit(self, attributes: Attributes) -> None:
        if attributes.kind is not INGRESSES or attributes.subresource:
            return
        assert attributes.object is not None
        spec = attributes.object["spec"]
        if "ingressClassName" in spec or classes.INGRESS_CLASS in attributes.object["metadata"].get("annotations", {}):
            return
        if default := classes.default_of(self.backend.read_all(INGRESS_CLASSES)):
            spec["ingressClassName"] = default["metadata"]["name"]


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
