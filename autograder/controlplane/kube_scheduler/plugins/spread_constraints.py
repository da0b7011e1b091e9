"""How pods are to be spread: what they state themselves, and what holds for those that state nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.selectors import LabelSelector, Requirement, of_map, of_object
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.node_info import PodInfo

HOSTNAME: Final = "kubernetes.io/hostname"
ZONE: Final = "topology.kubernetes.io/zone"
DO_NOT_SCHEDULE: Final = "DoNotSchedule"
SCHEDULE_ANYWAY: Final = "ScheduleAnyway"

#: What holds for pods that say nothing themselves: key and maxSkew, ScheduleAnyway.
DEFAULTS: Final = ((HOSTNAME, 3), (ZONE, 5))


class Constraint(NamedTuple):
    """One constraint, with its defaults filled in."""

    topology_key: str
    max_skew: int
    selector: LabelSelector
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False


def stated(pod: PodInfo, action: str) -> tuple[Constraint, ...]:
    """The pod's own constraints with one ``whenUnsatisfiable``."""
    return tuple(
        _constraint(one, pod)
        for one in pod.spec.get("topologySpreadConstraints") or ()
        if one["whenUnsatisfiable"] == action
    )


def default_constraints(handle: Handle, pod: PodInfo) -> tuple[Constraint, ...]:
    """The constraints of a pod that states none: none either, unless a Service or a workload selects it."""
    selector = default_selector(handle, pod)
    return () if selector.empty else tuple(Constraint(key, skew, selector) for key, skew in DEFAULTS)


def default_selector(handle: Handle, pod: PodInfo) -> LabelSelector:
    """What selects the pod: the Services that do and the workload that controls it, taken together."""
    requirements: dict[Requirement, None] = {}
    for service in handle.services.by_index("namespace", pod.namespace):
        wanted = of_map(service["spec"].get("selector"))
        if wanted.matches(pod.labels):
            requirements |= dict.fromkeys(wanted.requirements)
    for owner in pod.object["metadata"].get("ownerReferences", ()):
        if owner.get("controller"):
            workload = _workload(handle, pod, owner)
            if workload is not None:
                requirements |= dict.fromkeys(workload.requirements)
    return LabelSelector(tuple(requirements))


def _workload(handle: Handle, pod: PodInfo, owner: Object) -> LabelSelector | None:
    kind = owner["apiVersion"], owner["kind"]
    if kind == ("v1", "ReplicationController"):
        found = handle.replication_controllers.get(pod.namespace, owner["name"])
        return of_map(found["spec"].get("selector")) if found else None
    informer = {
        ("apps/v1", "ReplicaSet"): handle.replica_sets,
        ("apps/v1", "StatefulSet"): handle.stateful_sets,
    }.get(kind)
    found = informer.get(pod.namespace, owner["name"]) if informer else None
    return of_object(found["spec"].get("selector")) if found else None


def _constraint(one: Object, pod: PodInfo) -> Constraint:
    selector = of_object(one.get("labelSelector"))
    own = [key for key in one.get("matchLabelKeys") or () if key in pod.labels]
    if own and "labelSelector" in one:
        more = tuple(Requirement(key, "in", frozenset((pod.labels[key],))) for key in own)
        selector = LabelSelector(more + selector.requirements)
    return Constraint(
        one["topologyKey"],
        one["maxSkew"],
        selector,
        one.get("minDomains") or 1,
        one.get("nodeAffinityPolicy", "Honor") == "Honor",
        one.get("nodeTaintsPolicy", "Ignore") == "Honor",
    )
