"""VolumeBinding: a pod's claims must be bound, or be bindable on the node, before it can run there."""

from __future__ import annotations

from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.classes import storage_class_of
from autograder.controlplane.apimachinery.node_selector import terms
from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from autograder.controlplane.apimachinery.selectors import EVERYTHING, of_object
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.events import Action, ClusterEvent, Interest, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import SKIP, Code, Status, unresolvable
from autograder.controlplane.kube_scheduler.volumes import (
    NO_PROVISIONER,
    SELECTED_NODE,
    binds_late,
    claim_names,
    is_bound,
    named_by,
)

UNBOUND: Final = "pod has unbound immediate PersistentVolumeClaims"
NODE_CONFLICT: Final = unresolvable("node(s) didn't match PersistentVolume's node affinity")
BIND_CONFLICT: Final = unresolvable("node(s) didn't find available persistent volumes to bind")
NO_VOLUME: Final = unresolvable("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)")


class Claims(NamedTuple):
    """A pod's claims: those that have their volume, and those that get one when the pod has a node."""

    bound: tuple[Object, ...]
    late: tuple[Object, ...]


class Binding(NamedTuple):
    """How a claim gets its volume on a node: an existing one, or (None) one that is made for it."""

    claim: Object
    volume: Object | None


class VolumeBinding:
    """See the module."""

    name = "VolumeBinding"

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status | None:
        """Every claim must be there, and bound unless it is to be bound late."""
        bound: list[Object] = []
        late: list[Object] = []
        for named in claim_names(pod):
            claim = cycle.handle.claims.get(pod.namespace, named.name)
            problem = _problem(claim, named.name, ephemeral=named.ephemeral)
            if problem or claim is None:
                return unresolvable(problem)
            if is_bound(claim):
                bound.append(claim)
            elif not claim["spec"].get("volumeName") and binds_late(cycle.handle, claim):
                late.append(claim)
            else:
                return unresolvable(UNBOUND)
        if not bound and not late:
            return SKIP
        cycle.filter_data[self.name] = Claims(tuple(bound), tuple(late))
        return None

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down a node on which a volume cannot be used, or a claim cannot be bound."""
        claims: Claims = cycle.filter_data[self.name]
        for claim in claims.bound:
            volume = cycle.handle.volumes.get("", claim["spec"]["volumeName"])
            if volume is None:
                return NO_VOLUME
            if not _usable(volume, node.node):
                return NODE_CONFLICT
        if claims.late and plan(cycle.handle, claims.late, node.node) is None:
            return BIND_CONFLICT
        return None

    def pre_bind(self, cycle: Cycle, pod: PodInfo, node: str) -> Status | None:
        """Have the claims bound on the chosen node; the pod is tried again once they are.  Raises ``StatusError``."""
        claims: Claims | None = cycle.filter_data.get(self.name)
        info = cycle.snapshot.get(node)
        if claims is None or not claims.late or info is None:
            return None
        bindings = plan(cycle.handle, claims.late, info.node)
        if bindings is None:
            return Status(Code.ERROR, BIND_CONFLICT.reasons)
        for binding in bindings:
            _start_binding(cycle.handle, binding, node)
        return Status(Code.ERROR, ("binding volumes: waiting for PersistentVolumeClaims to be bound",))

    def interests(self) -> tuple[Interest, ...]:
        """Anything about storage, and nodes that are new or labelled anew."""
        changed = Action.ADD | Action.UPDATE
        return (
            Interest((Resource.STORAGE_CLASS,), changed, _other_topologies),
            Interest((Resource.CLAIM,), changed, named_by),
            Interest((Resource.VOLUME,), changed),
            Interest((Resource.NODE,), Action.ADD | Action.NODE_LABEL),
        )


def plan(handle: Handle, claims: tuple[Object, ...], node: NodeFacts) -> list[Binding] | None:
    """How claims get their volumes on a node, smallest claim first; None if one cannot."""
    bindings: list[Binding] = []
    taken: set[str] = set()
    for claim in sorted(claims, key=_size):
        selected = (claim["metadata"].get("annotations") or {}).get(SELECTED_NODE)
        if selected and selected != node.name:
            return None
        volume = None if selected else _find_volume(handle, claim, node, taken)
        if volume is not None:
            taken.add(volume["metadata"]["name"])
        elif not _provisionable(handle, claim, node):
            return None
        bindings.append(Binding(claim, volume))
    return bindings


def _problem(claim: Object | None, name: str, *, ephemeral: bool) -> str:
    """What is wrong with a claim from the start, or ''."""
    if claim is None:
        if ephemeral:
            return f'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
        return f'persistentvolumeclaim "{name}" not found'
    if claim.get("status", {}).get("phase") == "Lost":
        volume = claim["spec"].get("volumeName", "")
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{volume}"'
    if "deletionTimestamp" in claim["metadata"]:
        return f'persistentvolumeclaim "{name}" is being deleted'
    return ""


def _usable(volume: Object, node: NodeFacts) -> bool:
    wanted = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return not wanted or any(term.matches(node.name, node.labels) for term in terms(wanted))


def _size(claim: Object) -> int:
    return quantity.parse(claim["spec"].get("resources", {}).get("requests", {}).get("storage", "0")).value


def _find_volume(handle: Handle, claim: Object, node: NodeFacts, taken: set[str]) -> Object | None:
    """The smallest free volume that suits a claim on a node; one that is set aside for the claim comes first."""
    spec = claim["spec"]
    selector = of_object(spec["selector"]) if spec.get("selector") else EVERYTHING
    best: Object | None = None
    for volume in handle.volumes:
        offer = volume["spec"]
        if (
            volume["metadata"]["name"] in taken
            or "deletionTimestamp" in volume["metadata"]
            or _capacity(volume) < _size(claim)
            or offer.get("volumeMode", "Filesystem") != spec.get("volumeMode", "Filesystem")
            or not _usable(volume, node)
        ):
            continue
        reserved = offer.get("claimRef")
        if reserved:
            if (reserved.get("namespace"), reserved.get("name")) == _id(claim) and reserved.get("uid", "") in (
                "",
                claim["metadata"].get("uid", ""),
            ):
                return volume
            continue
        if (
            volume.get("status", {}).get("phase") == "Available"
            and (offer.get("storageClassName") or "") == storage_class_of(claim)
            and set(spec.get("accessModes", ())) <= set(offer.get("accessModes", ()))
            and selector.matches(volume["metadata"].get("labels"))
            and (best is None or _capacity(volume) < _capacity(best))
        ):
            best = volume
    return best


def _capacity(volume: Object) -> int:
    return quantity.parse(volume["spec"].get("capacity", {}).get("storage", "0")).value


def _id(claim: Object) -> tuple[str, str]:
    return claim["metadata"]["namespace"], claim["metadata"]["name"]


def _provisionable(handle: Handle, claim: Object, node: NodeFacts) -> bool:
    found = handle.storage_classes.get("", storage_class_of(claim))
    if found is None or found.get("provisioner", "") in ("", NO_PROVISIONER):
        return False
    topologies = found.get("allowedTopologies") or ()
    return not topologies or any(
        all(node.labels.get(one["key"]) in one["values"] for one in term.get("matchLabelExpressions") or ())
        for term in topologies
    )


def _start_binding(handle: Handle, binding: Binding, node: str) -> None:
    claim, volume = binding.claim, binding.volume
    namespace, name = _id(claim)
    if volume is None:
        patch = {"metadata": {"annotations": {SELECTED_NODE: node}}}
        handle.client.patch(PERSISTENTVOLUMECLAIMS, namespace, name, patch)
        return
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": namespace,
        "name": name,
        "uid": claim["metadata"].get("uid", ""),
        "resourceVersion": claim["metadata"].get("resourceVersion", ""),
    }
    handle.client.patch(PERSISTENTVOLUMES, "", volume["metadata"]["name"], {"spec": {"claimRef": reference}})


def _other_topologies(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.new is not None
    return event.old is None or event.old.get("allowedTopologies") != event.new.get("allowedTopologies")
