"""Lists of resources (``{"cpu": "500m", "memory": "1Gi"}``): sums, maxima, and what a whole pod asks for.

The rules of adding up a pod (containers run together, init containers one after another, sidecars beside both) are
those of component-helpers/resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.quantity import Quantity

ResourceList = dict[str, Quantity]

HUGE_PAGES: Final = "hugepages-"
_BASIC: Final = ("cpu", "memory")


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


def is_pod_level(name: str) -> bool:
    """Whether a pod may state a resource as a whole, and thereby instead of its containers."""
    return name in _BASIC or name.startswith(HUGE_PAGES)


def aggregate_containers(spec: Mapping[str, Any], which: str) -> ResourceList:
    """The ``requests`` or ``limits`` of the containers of a pod at one time: all of them, or one init container.

    Sidecars go on running beside what comes after them.
    """
    running = total(_of(container, which) for container in spec.get("containers") or ())
    sidecars: ResourceList = {}
    starting: ResourceList = {}
    for container in spec.get("initContainers", ()):
        own = _of(container, which)
        now = add(sidecars, own)
        if container.get("restartPolicy") == "Always":
            running, sidecars = add(running, own), now
        starting = maximum(starting, now)
    return maximum(running, starting)


def _pod_sum(spec: Mapping[str, Any], which: str) -> ResourceList:
    whole = parsed(spec.get("resources", {}).get(which))
    return aggregate_containers(spec, which) | {name: whole[name] for name in whole if is_pod_level(name)}


def _of(container: Mapping[str, Any], which: str) -> ResourceList:
    return parsed(container.get("resources", {}).get(which))


def _merged(left: ResourceList, right: ResourceList, combine: Callable[[Quantity, Quantity], Quantity]) -> ResourceList:
    result = dict(left)
    for name, amount in right.items():
        result[name] = combine(result[name], amount) if name in result else amount
    return result
