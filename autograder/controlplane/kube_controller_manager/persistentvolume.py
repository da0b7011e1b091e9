"""The persistent volume binder: claims get volumes, and volumes are given back.

There is no volume plugin that makes volumes: a claim waits for a volume that an administrator (or a provisioner of
somebody's own) creates.  Source: pkg/controller/volume/persistentvolume.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import quantity, selectors
from autograder.controlplane.apimachinery.classes import default_of
from autograder.controlplane.apimachinery.quantity import Quantity
from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, resource
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_namespace, object_key, split_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.fields import compact

STORAGECLASSES: Final = resource("storageclasses", "storage.k8s.io")
RESYNC: Final = 15 * SECOND
RESYNC_ALL: Final = "resync"
CLAIM: Final = "claim "
VOLUME: Final = "volume "

BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER: Final = "pv.kubernetes.io/bound-by-controller"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
ZERO: Final = quantity.parse("0")


class PersistentVolumeBinder(Controller):
    """Binds claims and volumes to each other."""

    name = "persistentvolume-binder-controller"
    service_account = "persistent-volume-binder"
    event_source = "persistentvolume-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.claims = self.informers.informer(PERSISTENTVOLUMECLAIMS)
        self.volumes = self.informers.informer(PERSISTENTVOLUMES)
        self.classes = self.informers.informer(STORAGECLASSES)
        self.pods = self.informers.informer(PODS, namespace=by_namespace)

    def subscriptions(self) -> Subscriptions:
        return {self.claims: self.on_claim, self.volumes: self.on_volume, self.classes: self.on_class}

    def start(self) -> None:
        self.queue.add_after(RESYNC_ALL, RESYNC, periodic=True)

    def on_claim(self, delta: Delta) -> None:
        if delta.new is not None:
            self.queue.add(CLAIM + object_key(delta.new))
        if volume := delta.object["spec"].get("volumeName"):
            self.queue.add(VOLUME + volume)

    def on_volume(self, delta: Delta) -> None:
        volume = delta.object
        self.queue.add(VOLUME + volume["metadata"]["name"])
        reference = volume["spec"].get("claimRef")
        if reference:
            self.queue.add(f"{CLAIM}{reference['namespace']}/{reference['name']}")
        elif delta.old is None or _phase(delta.old) != _phase(volume):
            self._enqueue_waiting()

    def on_class(self, delta: Delta) -> None:
        self._enqueue_waiting()

    def _enqueue_waiting(self) -> None:
        for claim in self.claims:
            if not claim["spec"].get("volumeName"):
                self.queue.add(CLAIM + object_key(claim))

    def reconcile(self, key: str) -> None:
        if key == RESYNC_ALL:
            self._enqueue_waiting()
            self.queue.add_after(RESYNC_ALL, RESYNC, periodic=True)
        elif key.startswith(CLAIM):
            if (claim := self.claims.get_by_key(key.removeprefix(CLAIM))) is not None:
                self._sync_claim(claim)
        elif (volume := self.volumes.get("", key.removeprefix(VOLUME))) is not None:
            self._sync_volume(volume)

    # ------------------------------------------------------------ claims

    def _sync_claim(self, claim: Object) -> None:
        bound = BIND_COMPLETED in claim["metadata"].get("annotations", {})
        name = claim["spec"].get("volumeName", "")
        volume = self.volumes.get("", name) if name else None
        if bound:
            self._sync_bound(claim, volume)
        elif not name:
            self._seek_volume(claim)
        elif volume is None:
            self._set_phase(claim, "Pending")
        elif belongs(volume, claim):
            self._bind(volume, claim)
        elif "claimRef" in volume["spec"]:
            self.recorder.event(
                claim, "Warning", "FailedBinding", f'volume "{name}" already bound to a different claim.'
            )
            self._set_phase(claim, "Pending")
        elif why := mismatch(volume, claim):
            text = f'Cannot bind to requested volume "{name}": {why}'
            self.recorder.event(claim, "Warning", "VolumeMismatch", text)
            self._set_phase(claim, "Pending")
        else:
            self._bind(volume, claim)

    def _sync_bound(self, claim: Object, volume: Object | None) -> None:
        """A claim that was bound stays so only as long as its volume knows of it."""
        if volume is None:
            text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
            self._lose(claim, "ClaimLost", text)
        elif "claimRef" not in volume["spec"] or belongs(volume, claim):
            self._bind(volume, claim)
        else:
            text = "Two claims are bound to the same volume, this one is bound incorrectly"
            self._lose(claim, "ClaimMisbound", text)

    def _lose(self, claim: Object, reason: str, text: str) -> None:
        if claim.get("status", {}).get("phase") != "Lost":
            self._set_phase(claim, "Lost")
            self.recorder.event(claim, "Warning", reason, text)

    def _seek_volume(self, claim: Object) -> None:
        """Bind the smallest volume that fits, or say what the claim waits for."""
        name = claim["spec"].get("storageClassName", "")
        storage_class = self.classes.get("", name) if name else None
        late = storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"
        chosen = SELECTED_NODE in claim["metadata"].get("annotations", {})
        if volume := self._best(claim, only_reserved=late):
            self._bind(volume, claim)
            return
        if self._assign_default_class(claim):
            return
        if late and not chosen:
            self._tell_what_late_claim_waits_for(claim)
        elif name and storage_class is None:
            text = f'storageclass.storage.k8s.io "{name}" not found'
            self.recorder.event(claim, "Warning", "ProvisioningFailed", text)
        elif storage_class is not None:
            text = (
                "Waiting for a volume to be created either by the external provisioner "
                f"'{storage_class.get('provisioner', '')}' or manually by the system administrator. If volume creation "
                "is delayed, please verify that the provisioner is running and correctly registered."
            )
            self.recorder.event(claim, "Normal", "ExternalProvisioning", text)
        else:
            text = "no persistent volumes available for this claim and no storage class is set"
            self.recorder.event(claim, "Normal", "FailedBinding", text)
        self._set_phase(claim, "Pending")

    def _tell_what_late_claim_waits_for(self, claim: Object) -> None:
        pods = self.pods.by_index("namespace", claim["metadata"]["namespace"])
        users = [pod["metadata"]["name"] for pod in pods if uses(pod, claim) and not pod["spec"].get("nodeName")]
        if users:
            text = f"waiting for pod {users[0]} to be scheduled"
            self.recorder.event(claim, "Normal", "WaitForPodScheduled", text)
        else:
            text = "waiting for first consumer to be created before binding"
            self.recorder.event(claim, "Normal", "WaitForFirstConsumer", text)

    def _assign_default_class(self, claim: Object) -> bool:
        """A claim that names no class gets the default one, if there is one by now; True if it did."""
        if "storageClassName" in claim["spec"]:
            return False
        default = default_of(self.classes)
        if default is None:
            return False
        spec = {**claim["spec"], "storageClassName": default["metadata"]["name"]}
        self.client.update(PERSISTENTVOLUMECLAIMS, {**claim, "spec": spec})
        return True

    def _best(self, claim: Object, *, only_reserved: bool) -> Object | None:
        """The volume reserved for the claim, else the smallest one that fits."""
        fitting = [one for one in self.volumes if not mismatch(one, claim)]
        reserved = [one for one in fitting if belongs(one, claim)]
        if reserved or only_reserved:
            return reserved[0] if reserved else None
        free = [one for one in fitting if "claimRef" not in one["spec"] and _phase(one) == "Available"]
        return min(free, key=lambda one: (capacity(one), one["metadata"]["name"]), default=None)

    def _set_phase(self, claim: Object, phase: str, **more: object) -> Object:
        status = {"phase": phase, **more}
        if status == claim.get("status"):
            return claim
        return self.client.update(PERSISTENTVOLUMECLAIMS, {**claim, "status": status}, "status")

    # ------------------------------------------------------------ binding

    def _bind(self, volume: Object, claim: Object) -> None:
        """Write the bond into both, the volume first, so that it can be taken up again if it is interrupted."""
        volume = self._bind_volume(volume, claim)
        self._set_volume_phase(volume, "Bound")
        meta, spec = claim["metadata"], claim["spec"]
        annotations = dict(meta.get("annotations", {}))
        if not spec.get("volumeName"):
            annotations[BOUND_BY_CONTROLLER] = "yes"
        annotations[BIND_COMPLETED] = "yes"
        name = volume["metadata"]["name"]
        if annotations != meta.get("annotations") or spec.get("volumeName") != name:
            changed = {**claim, "metadata": {**meta, "annotations": annotations}, "spec": {**spec, "volumeName": name}}
            claim = self.client.update(PERSISTENTVOLUMECLAIMS, changed)
        given = {"accessModes": volume["spec"]["accessModes"], "capacity": volume["spec"]["capacity"]}
        self._set_phase(claim, "Bound", **given)

    def _bind_volume(self, volume: Object, claim: Object) -> Object:
        if volume["spec"].get("claimRef", {}).get("uid") == claim["metadata"]["uid"]:
            return volume
        meta, spec, owner = volume["metadata"], volume["spec"], claim["metadata"]
        annotations = dict(meta.get("annotations", {}))
        if "claimRef" not in spec:
            annotations[BOUND_BY_CONTROLLER] = "yes"
        reference = {
            "apiVersion": "v1",
            "kind": PERSISTENTVOLUMECLAIMS.kind,
            "namespace": owner["namespace"],
            "name": owner["name"],
            "uid": owner["uid"],
            "resourceVersion": owner["resourceVersion"],
        }
        metadata = {**meta, **compact({"annotations": annotations})}
        return self.client.update(
            PERSISTENTVOLUMES, {**volume, "metadata": metadata, "spec": {**spec, "claimRef": reference}}
        )

    # ------------------------------------------------------------ volumes

    def _sync_volume(self, volume: Object) -> None:
        reference = volume["spec"].get("claimRef")
        if not reference or not reference.get("uid"):
            self._set_volume_phase(volume, "Available")
            return
        claim = self.claims.get(reference["namespace"], reference["name"])
        if claim is None or claim["metadata"]["uid"] != reference["uid"]:
            self._reclaim(volume)
        elif claim["spec"].get("volumeName") == volume["metadata"]["name"]:
            self._set_volume_phase(volume, "Bound")
        elif not claim["spec"].get("volumeName"):
            self.queue.add(CLAIM + object_key(claim))
        else:
            self._unbind(volume)

    def _unbind(self, volume: Object) -> None:
        """The claim has another volume."""
        spec = volume["spec"]
        annotations = volume["metadata"].get("annotations", {})
        if BOUND_BY_CONTROLLER in annotations:
            kept = {key: text for key, text in annotations.items() if key != BOUND_BY_CONTROLLER}
            spec = {key: value for key, value in spec.items() if key != "claimRef"}
        else:
            kept = annotations
            bond = ("uid", "resourceVersion")
            reserved = {field: value for field, value in spec["claimRef"].items() if field not in bond}
            spec = {**spec, "claimRef": reserved}
        metadata = {key: value for key, value in volume["metadata"].items() if key != "annotations"}
        metadata |= compact({"annotations": kept})
        freed = self.client.update(PERSISTENTVOLUMES, {**volume, "metadata": metadata, "spec": spec})
        self._set_volume_phase(freed, "Available")

    def _reclaim(self, volume: Object) -> None:
        """The claim is gone: the volume is kept as it is, or deleted as far as anybody can."""
        name, spec = volume["metadata"]["name"], volume["spec"]
        if _phase(volume) not in ("Released", "Failed"):
            volume = self._set_volume_phase(volume, "Released")
        if spec.get("persistentVolumeReclaimPolicy") != "Delete" or _phase(volume) == "Failed":
            return
        path = spec.get("hostPath", {}).get("path", "")
        if path.startswith("/tmp/"):
            self.client.delete_if_there(PERSISTENTVOLUMES, "", name)
            return
        if path:
            text = f"host_path deleter only supports /tmp/.+ but received provided {path}"
        else:
            text = f'error getting deleter volume plugin for volume "{name}": no deletable volume plugin matched'
        self._set_volume_phase(volume, "Failed", text)
        self.recorder.event(volume, "Warning", "VolumeFailedDelete", text)

    def _set_volume_phase(self, volume: Object, phase: str, message: str = "") -> Object:
        before = volume.get("status", {})
        if before.get("phase") == phase and before.get("message", "") == message:
            return volume
        moved = before.get("phase") != phase or "lastPhaseTransitionTime" not in before
        since = self.now if moved else before["lastPhaseTransitionTime"]
        status = {"phase": phase, "lastPhaseTransitionTime": since, **compact({"message": message})}
        return self.client.update(PERSISTENTVOLUMES, {**volume, "status": status}, "status")


def belongs(volume: Object, claim: Object) -> bool:
    """Whether a volume is reserved for, or bound to, a claim."""
    reference, meta = volume["spec"].get("claimRef"), claim["metadata"]
    if not reference or (reference["namespace"], reference["name"]) != split_key(object_key(claim)):
        return False
    return reference.get("uid", "") in ("", meta["uid"])


def capacity(volume: Object) -> Quantity:
    """The size of a volume."""
    return quantity.parse(volume["spec"].get("capacity", {}).get("storage", "0"))


def mismatch(volume: Object, claim: Object) -> str:
    """Why a volume does not do for a claim, or ''."""
    spec, wanted = volume["spec"], claim["spec"]
    request = wanted.get("resources", {}).get("requests", {}).get("storage")
    labels = volume["metadata"].get("labels", {})
    if "deletionTimestamp" in volume["metadata"]:
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if capacity(volume) < (quantity.parse(request) if request else ZERO):
        return "requested PV is too small"
    if spec.get("storageClassName", "") != wanted.get("storageClassName", ""):
        return "storageClassName does not match"
    if spec.get("volumeMode", "Filesystem") != wanted.get("volumeMode", "Filesystem"):
        return "incompatible volumeMode"
    if not set(wanted.get("accessModes", ())) <= set(spec.get("accessModes", ())):
        return "incompatible accessMode"
    if "selector" in wanted and not selectors.of_object(wanted["selector"]).matches(labels):
        return "selector does not match"
    return ""


def uses(pod: Object, claim: Object) -> bool:
    """Whether a pod mounts a claim."""
    name = claim["metadata"]["name"]
    volumes = pod["spec"].get("volumes", ())
    return any(one.get("persistentVolumeClaim", {}).get("claimName") == name for one in volumes)


def _phase(volume: Object) -> str:
    phase: str = volume.get("status", {}).get("phase", "")
    return phase
