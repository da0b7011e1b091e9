"""Lists of resources (``{"cpu": "500m", "memory": "1Gi"}``): sums, maxima, and what a whole pod asks for.

The rules of adding up a pod (containers run together, init containers one after another, sidecars beside both) are
those of component-helpers/resource.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.quantity import Quantity

ResourceList = dict[str, Quantity]

#: Resources that may be set for the pod as a whole, and then stand for the sum of its containers.
_POD_LEVEL = ("cpu", "memory")


def parsed(resources: Mapping[str, str] | None) -> ResourceList:
    """The quantities of a resource list as objects carry it."""
    return {name: quantity.parse(text) for name, text in (resources or {}).items()}


def texts(resources: ResourceList) -> dict[str, str]:
    """A resource list as objects carry it, keys in order."""
    return {name: str(resources[name]) for name in sorted(resources)}


def add(left: ResourceList, right: ResourceList) -> ResourceList:
    """The sum, resource by resource."""
    return _merged(left, right, lambda a, b: a + b)


def maximum(left: ResourceList, right: ResourceList) -> ResourceList:
    """The larger amount of each resource."""
    return _merged(left, right, max)


def total(lists: Iterable[ResourceList]) -> ResourceList:
    """The sum of several lists."""
    result: ResourceList = {}
    for one in lists:
        result = add(result, one)
    return result


def pod_requests(spec: Mapping[str, Any]) -> ResourceList:
    """What a pod asks for, as quotas, limit ranges and the scheduler count it."""
    return add(_pod_sum(spec, "requests"), parsed(spec.get("overhead")))


def pod_limits(spec: Mapping[str, Any]) -> ResourceList:
    """The most that a pod may use; overhead counts for resources that are limited."""
    limits = _pod_sum(spec, "limits")
    overhead = {name: amount for name, amount in parsed(spec.get("overhead")).items() if name in limits}
    return add(limits, overhead)


def _pod_sum(spec: Mapping[str, Any], which: str) -> ResourceList:
    result = total(_of(container, which) for container in spec.get("containers") or ())
    sidecars: ResourceList = {}
    peak: ResourceList = {}
    for container in spec.get("initContainers", ()):
        asked = _of(container, which)
        if container.get("restartPolicy") == "Always":
            result = add(result, asked)
            sidecars = add(sidecars, asked)
            peak = maximum(peak, sidecars)
        else:
            peak = maximum(peak, add(asked, sidecars))
    result = maximum(result, peak)
    whole = parsed(spec.get("resources", {}).get(which))
    return result | {name: amount for name, amount in whole.items() if name in _POD_LEVEL}


def _of(container: Mapping[str, Any], which: str) -> ResourceList:
    return parsed(container.get("resources", {}).get(which))


def _merged(left: ResourceList, right: ResourceList, combine: Any) -> ResourceList:
    result = dict(left)
    for name, amount in right.items():
        result[name] = combine(result[name], amount) if name in result else amount
    return result
