"""What pods ask of volumes: their claims, and where the volumes that claims are bound to can be used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.classes import storage_class_of
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.events import ClusterEvent
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.node_info import PodInfo

BIND_COMPLETED: Final = "pv.kubernetes.io/bind-completed"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"
LATE: Final = "WaitForFirstConsumer"


class ClaimName(NamedTuple):
    """A claim that a pod names; ``ephemeral`` ones are made for the pod by a controller."""

    name: str
    ephemeral: bool


def claim_names(pod: PodInfo) -> Iterator[ClaimName]:
    """The claims that a pod's volumes name."""
    for volume in pod.spec.get("volumes", ()):
        if "persistentVolumeClaim" in volume:
            yield ClaimName(volume["persistentVolumeClaim"]["claimName"], False)
        elif "ephemeral" in volume:
            yield ClaimName(f"{pod.name}-{volume['name']}", True)


def is_bound(claim: Object) -> bool:
    """Whether a claim has its volume for good."""
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in (claim["metadata"].get("annotations") or {})


def binds_late(handle: Handle, claim: Object) -> bool:
    """Whether a claim is bound only when a pod that uses it has a node."""
    found = handle.storage_classes.get("", storage_class_of(claim))
    return found is not None and found.get("volumeBindingMode") == LATE


def named_by(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    """Hint: the claim that is new or has changed is one of the pod's."""
    assert event.new is not None
    meta = event.new["metadata"]
    return meta["namespace"] == pod.namespace and any(one.name == meta["name"] for one in claim_names(pod))
