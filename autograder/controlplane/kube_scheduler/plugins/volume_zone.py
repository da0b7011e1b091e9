"""VolumeZone: a volume that is in a zone can be used only on nodes of that zone."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from autograder.controlplane.apimachinery.classes import storage_class_of
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.events import Action, ClusterEvent, Interest, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import Labels, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import SKIP, Status, unresolvable
from autograder.controlplane.kube_scheduler.volumes import LATE, named_by

REASON: Final = unresolvable("node(s) had no available volume zone")

#: The labels that tell where a volume or a node is; older names, and the ones that replaced them.
CURRENT_NAMES: Final = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
TOPOLOGY_LABELS: Final = (*CURRENT_NAMES, *CURRENT_NAMES.values())

Places = tuple[tuple[str, frozenset[str]], ...]


class VolumeZone:
    """See the module."""

    name = "VolumeZone"

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status | None:
        """Find where the volumes of the pod's claims are."""
        places: list[tuple[str, frozenset[str]]] = []
        for volume in pod.spec.get("volumes", ()):
            if "persistentVolumeClaim" not in volume:
                continue
            found = _places(cycle.handle, pod, volume["persistentVolumeClaim"]["claimName"])
            if isinstance(found, Status):
                return found
            places += found
        if not places:
            return SKIP
        cycle.filter_data[self.name] = tuple(places)
        return None

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down a node elsewhere; one that does not say where it is will do."""
        labels = node.labels
        if not any(key in labels for key in TOPOLOGY_LABELS):
            return None
        places: Places = cycle.filter_data[self.name]
        return None if all(_label(labels, key) in values for key, values in places) else REASON

    def sign_filter(self, cycle: Cycle, pod: PodInfo) -> Hashable:
        """The places."""
        places: Hashable = cycle.filter_data[self.name]
        return places

    def interests(self) -> tuple[Interest, ...]:
        """Storage that is new or has changed, and nodes that are new or labelled anew."""
        return (
            Interest((Resource.STORAGE_CLASS,), Action.ADD, _late_class),
            Interest((Resource.NODE,), Action.ADD | Action.NODE_LABEL),
            Interest((Resource.CLAIM,), Action.ADD | Action.UPDATE, named_by),
            Interest((Resource.VOLUME,), Action.ADD | Action.UPDATE, _moved),
        )


def _places(handle: Handle, pod: PodInfo, name: str) -> list[tuple[str, frozenset[str]]] | Status:
    claim = handle.claims.get(pod.namespace, name)
    if claim is None:
        return unresolvable(f'persistentvolumeclaim "{name}" not found')
    bound_to = claim["spec"].get("volumeName", "")
    if bound_to:
        volume = handle.volumes.get("", bound_to)
        if volume is None:
            return unresolvable(f'persistentvolume "{bound_to}" not found')
        labels: dict[str, str] = volume["metadata"].get("labels") or {}
        return [(key, frozenset(labels[key].split("__"))) for key in TOPOLOGY_LABELS if key in labels]
    class_name = storage_class_of(claim)
    if not class_name:
        return unresolvable("PersistentVolumeClaim had no pv name and storageClass name")
    found = handle.storage_classes.get("", class_name)
    if found is None:
        return unresolvable(f'storageclass.storage.k8s.io "{class_name}" not found')
    return [] if found.get("volumeBindingMode") == LATE else unresolvable("PersistentVolume had no name")


def _label(labels: Labels, key: str) -> str | None:
    return labels.get(key, labels.get(CURRENT_NAMES.get(key, key)))


def _late_class(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.new is not None
    return event.new.get("volumeBindingMode") == LATE


def _moved(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    def places(volume: Object) -> dict[str, str]:
        labels = volume["metadata"].get("labels") or {}
        return {key: labels[key] for key in TOPOLOGY_LABELS if key in labels}

    assert event.new is not None
    return event.old is None or places(event.old) != places(event.new)
