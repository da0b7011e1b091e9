"""PersistentVolumeClaimResize: a claim may ask for more once it is bound, if its storage class lets it grow."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.classes import storage_class_of
from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, resource
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin, forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes

STORAGE_CLASSES: Final = resource("storageclasses", "storage.k8s.io")


class PersistentVolumeClaimResize(Plugin):
    """Refuses claims that want to grow and may not."""

    operations = ("UPDATE",)

    def validate(self, attributes: Attributes) -> None:
        new, old = attributes.object, attributes.old
        if attributes.kind is not PERSISTENTVOLUMECLAIMS or attributes.subresource or new is None or old is None:
            return
        if _requested(new) <= _requested(old):
            return
        if old.get("status", {}).get("phase") != "Bound":
            raise forbidden(attributes, "Only bound persistent volume claims can be expanded")
        name = storage_class_of(new)
        if name != storage_class_of(old) or not self._grows(name):
            support = "the storageclass that provisions the pvc must support resize"
            raise forbidden(attributes, f"only dynamically provisioned pvc can be resized and {support}")

    def _grows(self, name: str) -> bool:
        found = self.backend.read(STORAGE_CLASSES, "", name) if name else None
        return bool(found and found.get("allowVolumeExpansion"))


def _requested(claim: Object) -> quantity.Quantity:
    requests = claim["spec"].get("resources", {}).get("requests") or {}
    return quantity.parse(requests.get("storage", "0"))
