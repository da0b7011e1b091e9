"""What objects count for in a ResourceQuota: which quotas cover an object, and how much of each resource it uses.

Admission asks before an object is stored; the resource quota controller adds up what is there.  The rules are those of
pkg/quota/v1: pods count while they are neither Succeeded nor Failed, every kind can be counted as
``count/<resource>.<group>``, and some kinds under short names as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import quantity, resources, timestamps
from autograder.controlplane.apimachinery.pod_spec import initial_containers
from autograder.controlplane.apimachinery.quantity import Quantity
from autograder.controlplane.apimachinery.resources import ResourceList
from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, PODS, SERVICES, ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.clock import SECOND

ONE: Final = quantity.parse("1")
ZERO: Final = quantity.parse("0")

#: Compute resources that a pod counts for; what it requests of them has a short name too: ``cpu``, ``requests.cpu``.
_COMPUTE: Final = ("cpu", "memory", "ephemeral-storage")
_POD_RESOURCES: Final = frozenset({
    "pods", *_COMPUTE, *(f"requests.{name}" for name in _COMPUTE), *(f"limits.{name}" for name in _COMPUTE),
})  # fmt: skip

#: Kinds of the core group that may be counted under their plural name alone.
_COUNTED_BY_NAME: Final = frozenset({
    "configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services",
})  # fmt: skip

#: Resources that every container must state once a quota names them.
_MUST_BE_STATED: Final = frozenset({
    *(name for name in _COMPUTE[:2]), *(f"requests.{name}" for name in _COMPUTE[:2]),
    *(f"limits.{name}" for name in _COMPUTE[:2]),
})  # fmt: skip

EXTENDED_PREFIX: Final = "requests."
_HUGE_PAGES: Final = "hugepages-"
#: How the resources of the claims of one storage class end; its name stands before.
_OF_CLASSES: Final = tuple(
    f".storageclass.storage.k8s.io/{name}" for name in ("persistentvolumeclaims", "requests.storage")
)
#: How old clients name the storage class of a claim.
_OLD_CLASS: Final = "volume.beta.kubernetes.io/storage-class"


def matching_resources(kind: ResourceType, names: Iterable[str]) -> set[str]:
    """Those of a quota's resources that objects of this kind can use."""
    own = {count_name(kind)}
    if kind is PODS:
        return {name for name in names if name in _POD_RESOURCES or name in own or _is_extended(name)}
    if kind is SERVICES:
        own |= {"services", "services.nodeports", "services.loadbalancers"}
    elif kind is PERSISTENTVOLUMECLAIMS:
        own |= {"persistentvolumeclaims", "requests.storage"}
        return {name for name in names if name in own or name.endswith(_OF_CLASSES)}
    elif not kind.group and kind.plural in _COUNTED_BY_NAME:
        own.add(kind.plural)
    return own & set(names)


def count_name(kind: ResourceType) -> str:
    """``count/deployments.apps``: the name under which objects of any kind are counted."""
    return f"count/{kind.plural}.{kind.group}" if kind.group else f"count/{kind.plural}"


def covers(quota: Object, kind: ResourceType, obj: Object) -> bool:
    """Whether a quota limits anything that this object uses, and its scopes select the object.

    What a quota limits is what its controller has seen and written into the status.
    """
    hard = quota.get("status", {}).get("hard") or {}
    return bool(matching_resources(kind, hard)) and in_scopes(quota, kind, obj)


def in_scopes(quota: Object, kind: ResourceType, obj: Object) -> bool:
    """Whether every scope of the quota selects the object; only pods and claims can be in a scope."""
    return all(matches_scope(selector, kind, obj) for selector in scope_selectors(quota))


def scope_selectors(quota: Object) -> list[Mapping[str, Any]]:
    """The scopes of a quota as requirements."""
    spec = quota["spec"]
    plain = [{"scopeName": scope, "operator": "Exists"} for scope in spec.get("scopes", ())]
    return plain + list(spec.get("scopeSelector", {}).get("matchExpressions", ()))


def matches_scope(selector: Mapping[str, Any], kind: ResourceType, obj: Object) -> bool:
    """Whether one scope selects an object."""
    if kind is PERSISTENTVOLUMECLAIMS:
        return selector["scopeName"] == "VolumeAttributesClass" and _has_class(selector, obj)
    if kind is not PODS:
        return False
    spec, scope = obj["spec"], selector["scopeName"]
    if scope == "Terminating":
        return is_terminating(spec)
    if scope == "NotTerminating":
        return not is_terminating(spec)
    if scope == "BestEffort":
        return _is_best_effort(spec)
    if scope == "NotBestEffort":
        return not _is_best_effort(spec)
    if scope == "PriorityClass":
        return _selects(selector, spec.get("priorityClassName", ""))
    if scope == "CrossNamespacePodAffinity":
        return _crosses_namespaces(spec)
    return False


def usage(kind: ResourceType, obj: Object, now: int) -> ResourceList:
    """What one object uses; ``now`` is in microseconds (a pod stuck in deletion stops counting after its grace)."""
    used: ResourceList = {count_name(kind): ONE}
    if kind is PODS:
        return used | _pod_usage(obj, now)
    if kind is SERVICES:
        return used | _service_usage(obj)
    if kind is PERSISTENTVOLUMECLAIMS:
        return used | _claim_usage(obj)
    if not kind.group and kind.plural in _COUNTED_BY_NAME:
        used[kind.plural] = ONE
    return used


def unstated(names: Iterable[str], pod: Object) -> str:
    """The resources that containers must state and do not: ``cpu for: web; memory for: web``; empty if all are."""
    needed = _MUST_BE_STATED.intersection(names)
    missing: dict[str, set[str]] = {}
    spec = pod["spec"]
    if any(spec.get("resources", {}).get(which) for which in ("requests", "limits")):
        return ""  # who states them for the pod as a whole need not state them for each container
    for container in initial_containers(spec):
        stated = _compute(container.get("resources", {}))
        for name in needed - stated.keys():
            missing.setdefault(name, set()).add(container["name"])
    return "; ".join(f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))


def _pod_usage(pod: Object, now: int) -> ResourceList:
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return {}
    meta = pod["metadata"]
    if meta.get("deletionTimestamp") and meta.get("deletionGracePeriodSeconds") is not None:
        if now > timestamps.parse(meta["deletionTimestamp"]) + meta["deletionGracePeriodSeconds"] * SECOND:
            return {}
    spec = pod["spec"]
    asked = {"requests": resources.pod_requests(spec), "limits": resources.pod_limits(spec)}
    used: ResourceList = {"pods": ONE}
    for name, amount in asked["requests"].items():
        if name in _COMPUTE or name.startswith(_HUGE_PAGES):
            used[name] = amount
        used[f"requests.{name}"] = amount
    used.update({f"limits.{name}": amount for name, amount in asked["limits"].items() if name in _COMPUTE})
    return used


def _compute(stated: Mapping[str, Any]) -> dict[str, str]:
    """The quota's names of the compute resources that a ``resources`` block states."""
    found = {}
    for name, amount in stated.get("requests", {}).items():
        found[name] = found[f"requests.{name}"] = amount
    found.update({f"limits.{name}": amount for name, amount in stated.get("limits", {}).items()})
    return found


def _service_usage(service: Object) -> ResourceList:
    spec = service["spec"]
    ports = len(spec.get("ports", ()))
    used = {"services": ONE, "services.nodeports": ZERO, "services.loadbalancers": ZERO}
    if spec.get("type") == "NodePort":
        used["services.nodeports"] = Quantity.of(ports)
    elif spec.get("type") == "LoadBalancer":
        used["services.loadbalancers"] = ONE
        if spec.get("allocateLoadBalancerNodePorts", True):
            used["services.nodeports"] = Quantity.of(ports)
        else:
            used["services.nodeports"] = Quantity.of(sum(1 for port in spec.get("ports", ()) if port.get("nodePort")))
    return used


def _claim_usage(claim: Object) -> ResourceList:
    used = {"persistentvolumeclaims": ONE}
    spec = claim["spec"]
    asked = resources.parsed(spec.get("resources", {}).get("requests")).get("storage")
    annotated = claim["metadata"].get("annotations", {})
    storage_class = annotated.get(_OLD_CLASS, spec.get("storageClassName") or "")
    if storage_class:
        used[f"{storage_class}.storageclass.storage.k8s.io/persistentvolumeclaims"] = ONE
    if asked is not None:
        asked = asked.rounded_up(0)
        used["requests.storage"] = asked
        if storage_class:
            used[f"{storage_class}.storageclass.storage.k8s.io/requests.storage"] = asked
    return used


def _is_extended(name: str) -> bool:
    """``requests.example.com/gpu``, and huge pages."""
    bare = name.removeprefix(EXTENDED_PREFIX)
    return bare.startswith(_HUGE_PAGES) or (name.startswith(EXTENDED_PREFIX) and "/" in bare)


def is_terminating(spec: Object) -> bool:
    """Whether a pod is to end after some time."""
    return spec.get("activeDeadlineSeconds") is not None and spec["activeDeadlineSeconds"] >= 0


def _is_best_effort(spec: Object) -> bool:
    """Whether no container states any request or limit of cpu or memory that is more than zero."""
    for container in (*initial_containers(spec), spec):
        stated = container.get("resources", {})
        for which in ("requests", "limits"):
            if any(amount for name, amount in resources.parsed(stated.get(which)).items() if name in _COMPUTE[:2]):
                return False
    return True


def _has_class(selector: Mapping[str, Any], claim: Object) -> bool:
    """Whether one of the attribute classes that a claim has, or is being changed to, is selected."""
    status = claim.get("status", {})
    found = {
        claim["spec"].get("volumeAttributesClassName"), status.get("currentVolumeAttributesClassName"),
        status.get("modifyVolumeStatus", {}).get("targetVolumeAttributesClassName"),
    } - {None, ""}  # fmt: skip
    return any(_selects(selector, name) for name in found or {""})


def _selects(selector: Mapping[str, Any], value: str) -> bool:
    operator, values = selector["operator"], selector.get("values", ())
    if operator == "Exists":
        return bool(value)
    if operator == "DoesNotExist":
        return not value
    return (value in values) is (operator == "In")


def _crosses_namespaces(spec: Object) -> bool:
    """Whether an affinity term names other namespaces, or selects them."""
    affinity = spec.get("affinity", {})
    for which in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(which, {})
        terms = list(rules.get("requiredDuringSchedulingIgnoredDuringExecution", ()))
        preferred = rules.get("preferredDuringSchedulingIgnoredDuringExecution", ())
        terms += [one["podAffinityTerm"] for one in preferred]
        if any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms):
            return True
    return False
