"""What a pod asks for: its requests as one sum, its quality of service, limits as numbers."""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.quantity import Quantity
from autograder.controlplane.apimachinery.wire import Object

_COMPUTE: Final = ("cpu", "memory")
#: A pod says with this annotation how much memory its containers use: ``web=300Mi,cache=1Gi``.
MEMORY_USE_ANNOTATION: Final = "autograder.dev/memory-use"

Amounts = dict[str, Quantity]


def qos_class(spec: Object) -> str:
    """Guaranteed, Burstable or BestEffort."""
    containers = [*spec["containers"], *(spec.get("initContainers") or ())]
    guaranteed, any_stated = True, False
    for container in containers:
        stated = container.get("resources") or {}
        requests, limits = stated.get("requests") or {}, stated.get("limits") or {}
        any_stated = any_stated or any(name in requests or name in limits for name in _COMPUTE)
        guaranteed = guaranteed and all(
            name in limits and quantity.parse(requests.get(name, limits[name])) == quantity.parse(limits[name])
            for name in _COMPUTE
        )
    if not any_stated:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def pod_requests(spec: Object) -> dict[str, str]:
    """The requests of a pod: of all containers together, or of the largest init container if that is more."""
    if not any((container.get("resources") or {}).get("requests") for container in _all(spec)):
        return {}
    total: Amounts = {}
    sidecars: Amounts = {}
    largest: Amounts = {}
    for container in spec.get("initContainers") or ():
        own = _requests(container)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum(sidecars, own)
            largest = _maximum(largest, sidecars)
        else:
            largest = _maximum(largest, _sum(sidecars, own))
    for container in spec["containers"]:
        total = _sum(total, _requests(container))
    total = _maximum(_sum(total, sidecars), largest)
    total = _sum(total, {name: quantity.parse(text) for name, text in (spec.get("overhead") or {}).items()})
    return {name: str(amount) for name, amount in sorted(total.items())}


def memory_limit(container: Object) -> int:
    """The limit of a container in bytes; 0 where there is none."""
    text = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    return quantity.parse(text).value if text else 0


def memory_use(pod: Object, container: str) -> int:
    """The memory that a pod's annotation says a container uses, in bytes."""
    stated = (pod["metadata"].get("annotations") or {}).get(MEMORY_USE_ANNOTATION, "")
    for entry in stated.split(","):
        name, _, amount = entry.strip().partition("=")
        if name == container:
            try:
                return quantity.parse(amount).value
            except quantity.QuantityError:
                return 0
    return 0


def _all(spec: Object) -> list[Any]:
    return [*spec["containers"], *(spec.get("initContainers") or ())]


def _requests(container: Object) -> Amounts:
    stated = (container.get("resources") or {}).get("requests") or {}
    return {name: quantity.parse(text) for name, text in stated.items()}


def _sum(one: Amounts, other: Amounts) -> Amounts:
    return one | {name: one[name] + amount if name in one else amount for name, amount in other.items()}


def _maximum(one: Amounts, other: Amounts) -> Amounts:
    return one | {name: max(one[name], amount) if name in one else amount for name, amount in other.items()}
