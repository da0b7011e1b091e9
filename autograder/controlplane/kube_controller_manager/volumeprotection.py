"""The protection controllers: a claim stays while a pod uses it, a volume while a claim is bound to it.

Admission puts a finalizer on both; these controllers take it off.  Source: pkg/controller/volume/pvcprotection and
pvprotection.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.client.informer import Delta, by_namespace, object_key
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.persistentvolume import uses

CLAIM_FINALIZER: Final = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER: Final = "kubernetes.io/pv-protection"


class PVCProtectionController(Controller):
    """Lets claims go that no pod uses."""

    name = "persistentvolumeclaim-protection-controller"
    service_account = "pvc-protection-controller"
    event_source = "pvc-protection-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.claims = self.informers.informer(PERSISTENTVOLUMECLAIMS)
        self.pods = self.informers.informer(PODS, namespace=by_namespace)

    def subscriptions(self) -> Subscriptions:
        return {self.claims: self.on_claim, self.pods: self.on_pod}

    def on_claim(self, delta: Delta) -> None:
        if delta.new is not None and _is_held(delta.new, CLAIM_FINALIZER):
            self.queue.add(object_key(delta.new))

    def on_pod(self, delta: Delta) -> None:
        """A pod that is gone no longer holds its claims."""
        if delta.new is not None:
            return
        namespace = delta.object["metadata"]["namespace"]
        for volume in delta.object["spec"].get("volumes", ()):
            if "persistentVolumeClaim" in volume:
                self.queue.add(f"{namespace}/{volume['persistentVolumeClaim']['claimName']}")

    def reconcile(self, key: str) -> None:
        claim = self.claims.get_by_key(key)
        if claim is None or not _is_held(claim, CLAIM_FINALIZER):
            return
        pods = self.pods.by_index("namespace", claim["metadata"]["namespace"])
        if not any(pod["spec"].get("nodeName") and uses(pod, claim) for pod in pods):
            _let_go(self.client, PERSISTENTVOLUMECLAIMS, claim, CLAIM_FINALIZER)


class PVProtectionController(Controller):
    """Lets volumes go that no claim is bound to."""

    name = "persistentvolume-protection-controller"
    service_account = "pv-protection-controller"
    event_source = "pv-protection-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.volumes = self.informers.informer(PERSISTENTVOLUMES)

    def subscriptions(self) -> Subscriptions:
        return {self.volumes: self.on_volume}

    def on_volume(self, delta: Delta) -> None:
        if delta.new is not None and _is_held(delta.new, VOLUME_FINALIZER):
            self.queue.add(delta.new["metadata"]["name"])

    def reconcile(self, key: str) -> None:
        volume = self.volumes.get("", key)
        if volume is None or not _is_held(volume, VOLUME_FINALIZER):
            return
        if volume.get("status", {}).get("phase") != "Bound":
            _let_go(self.client, PERSISTENTVOLUMES, volume, VOLUME_FINALIZER)


def _is_held(obj: Object, finalizer: str) -> bool:
    """Whether an object is being deleted and a finalizer keeps it."""
    return "deletionTimestamp" in obj["metadata"] and finalizer in obj["metadata"].get("finalizers", ())


def _let_go(client: Client, kind: ResourceType, obj: Object, finalizer: str) -> None:
    meta = obj["metadata"]
    kept = [one for one in meta["finalizers"] if one != finalizer]
    metadata = {key: value for key, value in meta.items() if key != "finalizers"}
    try:
        client.update(kind, {**obj, "metadata": {**metadata, "finalizers": kept} if kept else metadata})
    except NotFound:
        return
