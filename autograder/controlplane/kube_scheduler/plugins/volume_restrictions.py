"""VolumeRestrictions: disks that can be mounted once only, and claims that only one pod may use."""

from __future__ import annotations

from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.events import PODS, Action, ClusterEvent, Interest, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import SKIP, Status, unresolvable, unschedulable
from autograder.controlplane.kube_scheduler.volumes import named_by

DISK_CONFLICT: Final = unschedulable("node(s) had no available disk")
CLAIM_CONFLICT: Final = unschedulable(
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)

#: Kinds of disks that conflict: the fields that make two of them the same, and whether reading only is no conflict.
DISKS: Final = (
    ("gcePersistentDisk", ("pdName",), True),
    ("awsElasticBlockStore", ("volumeID",), False),
    ("iscsi", ("iqn",), True),
    ("rbd", ("pool", "image"), True),
)


class Exclusive(NamedTuple):
    """The pod's claims that only one pod may use, and how many uses of them there are already."""

    claims: frozenset[str]
    uses: int


class VolumeRestrictions:
    """See the module."""

    name = "VolumeRestrictions"

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status | None:
        """Find the claims that only one pod may use, and who uses them."""
        claims: set[str] = set()
        for name in _claims(pod):
            claim = cycle.handle.claims.get(pod.namespace, name)
            if claim is None:
                return unresolvable(f'persistentvolumeclaim "{name}" not found')
            if "ReadWriteOncePod" in claim["spec"].get("accessModes", ()):
                claims.add(name)
        uses = sum(cycle.handle.cache.claim_in_use(f"{pod.namespace}/{name}") for name in claims)
        if not uses and not any(kind in volume for volume in _volumes(pod) for kind, _, _ in DISKS):
            return SKIP
        cycle.filter_data[self.name] = Exclusive(frozenset(claims), uses)
        return None

    def after_change(self, cycle: Cycle, pod: PodInfo, other: PodInfo, node: NodeInfo, sign: int) -> None:
        """Count the uses by a pod that comes or goes."""
        known: Exclusive = cycle.filter_data[self.name]
        uses = sum(name in known.claims for name in _claims(other)) if other.namespace == pod.namespace else 0
        cycle.filter_data[self.name] = known._replace(uses=known.uses + sign * uses)

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down a node where a disk is mounted already; every node while a claim is used."""
        for mine in _volumes(pod):
            if any(_conflict(mine, theirs) for other in node.pods.values() for theirs in _volumes(other)):
                return DISK_CONFLICT
        known: Exclusive = cycle.filter_data[self.name]
        return CLAIM_CONFLICT if known.uses > 0 else None

    def interests(self) -> tuple[Interest, ...]:
        """A pod with one of the volumes is gone; a node or a claim is new."""
        return (
            Interest(PODS, Action.DELETE, _shared_with_deleted),
            Interest((Resource.NODE,), Action.ADD),
            Interest((Resource.CLAIM,), Action.ADD, named_by),
        )


def _volumes(pod: PodInfo) -> list[Object]:
    found: list[Object] = pod.spec.get("volumes") or []
    return found


def _claims(pod: PodInfo) -> list[str]:
    return [one["persistentVolumeClaim"]["claimName"] for one in _volumes(pod) if "persistentVolumeClaim" in one]


def _conflict(mine: Object, theirs: Object) -> bool:
    for kind, identity, reading_shared in DISKS:
        one, other = mine.get(kind), theirs.get(kind)
        if one is None or other is None or any(one.get(key) != other.get(key) for key in identity):
            continue
        if kind == "rbd" and not set(one.get("monitors", ())) & set(other.get("monitors", ())):
            continue
        if not (reading_shared and one.get("readOnly") and other.get("readOnly")):
            return True
    return False


def _shared_with_deleted(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.old is not None
    gone = PodInfo.of(event.old)
    if gone.namespace != pod.namespace or not gone.node_name:
        return False
    disks = any(_conflict(mine, theirs) for mine in _volumes(pod) for theirs in _volumes(gone))
    return disks or bool(set(_claims(pod)) & set(_claims(gone)))
