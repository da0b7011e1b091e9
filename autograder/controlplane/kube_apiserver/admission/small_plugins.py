"""Admission plugins that set one thing each."""

from __future__ import annotations

from collections.abc import Iterable
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

STORAGE_CLASSES: Final = resource("storageclasses", "storage.k8s.io")
INGRESSES: Final = resource("ingresses", "networking.k8s.io")
INGRESS_CLASSES: Final = resource("ingressclasses", "networking.k8s.io")
DEFAULT_CLASS_ANNOTATION: Final = "storageclass.kubernetes.io/is-default-class"
DEFAULT_INGRESS_CLASS_ANNOTATION: Final = "ingressclass.kubernetes.io/is-default-class"
#: How old clients name the class of an Ingress.
INGRESS_CLASS: Final = "kubernetes.io/ingress.class"
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
        if default := _default(self.backend.read_all(STORAGE_CLASSES), DEFAULT_CLASS_ANNOTATION):
            spec["storageClassName"] = default


class DefaultIngressClass(Plugin):
    """An Ingress that names no class gets the default one, if there is one."""

    operations = ("CREATE",)

    def admit(self, attributes: Attributes) -> None:
        if attributes.kind is not INGRESSES or attributes.subresource:
            return
        assert attributes.object is not None
        spec = attributes.object["spec"]
        if "ingressClassName" in spec or INGRESS_CLASS in attributes.object["metadata"].get("annotations", {}):
            return
        if default := _default(self.backend.read_all(INGRESS_CLASSES), DEFAULT_INGRESS_CLASS_ANNOTATION):
            spec["ingressClassName"] = default


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


def _default(classes: Iterable[Object], annotation: str) -> str:
    """The name of the newest class that is marked as default; of several as new, the first."""
    marked = [one["metadata"] for one in classes if one["metadata"].get("annotations", {}).get(annotation) == "true"]
    by_name = sorted(marked, key=lambda metadata: metadata["name"])
    newest: Object = max(by_name, key=lambda metadata: metadata["creationTimestamp"], default={})
    return newest.get("name", "")


def _tolerates(toleration: Object, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
