"""Amounts of resources that pods ask for and nodes have, as whole numbers.

CPU counts in thousandths of a core, memory and storage in bytes, anything else in pieces.
The rules are those of component-helpers/resource: containers add up, init containers count by their maximum, sidecars
(init containers that restart always) count from their start on, and what stands at the pod's own level wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from autograder.controlplane.apimachinery import quantity

CPU: Final = "cpu"
MEMORY: Final = "memory"
STORAGE: Final = "ephemeral-storage"
PODS: Final = "pods"

#: What a container that asks for nothing is taken to use when nodes are scored (not when they are filtered).
DEFAULT_CPU: Final = 100
DEFAULT_MEMORY: Final = 200 * 1024 * 1024

Amounts = Mapping[str, int]


class Resources(NamedTuple):
    """CPU, memory and ephemeral storage, and the scalar resources in the order of their names (none that is zero)."""

    cpu: int = 0
    memory: int = 0
    storage: int = 0
    scalars: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, amounts: Amounts) -> Resources:
        """The resources of a map from names to whole amounts; the number of pods is left out."""
        rest = amounts.keys() - {CPU, MEMORY, STORAGE, PODS}
        scalars = tuple((name, amounts[name]) for name in sorted(rest) if amounts[name]) if rest else ()
        return cls(amounts.get(CPU, 0), amounts.get(MEMORY, 0), amounts.get(STORAGE, 0), scalars)

    def plus(self, other: Resources, sign: int = 1) -> Resources:
        """The sum; with ``sign=-1`` the difference."""
        return Resources(
            self.cpu + sign * other.cpu,
            self.memory + sign * other.memory,
            self.storage + sign * other.storage,
            _plus(self.scalars, other.scalars, sign) if other.scalars else self.scalars,
        )

    def scalar(self, name: str) -> int:
        """The amount of one scalar resource."""
        return next((amount for known, amount in self.scalars if known == name), 0)


def _plus(
    these: tuple[tuple[str, int], ...], others: tuple[tuple[str, int], ...], sign: int
) -> tuple[tuple[str, int], ...]:
    total = dict(these)
    for name, amount in others:
        total[name] = total.get(name, 0) + sign * amount
    return tuple((name, total[name]) for name in sorted(total) if total[name])


def amounts(quantities: Mapping[str, str]) -> dict[str, int]:
    """The whole amounts of a map of quantities: CPU in thousandths, everything else rounded up to whole units."""
    return {name: amount(name, text) for name, text in quantities.items()}


def amount(name: str, text: str) -> int:
    """One quantity as a whole amount."""
    parsed = quantity.parse(text)
    return parsed.milli_value if name == CPU else parsed.value


def pod_requests(pod: Mapping[str, Any], *, scoring: bool = False, scheduled: bool = False) -> dict[str, int]:
    """What a pod asks for.

    ``scoring`` counts containers that ask for no CPU or memory with the defaults; ``scheduled`` looks at the container
    statuses too, since a pod that is being resized holds the larger of what it has and what it wants.
    """
    spec = pod["spec"]
    granted = _granted(pod) if scheduled else {}
    total: dict[str, int] = {}
    for container in spec["containers"]:
        _add(total, _container_requests(container, granted, scoring=scoring))
    if spec.get("initContainers"):
        _add_init_containers(total, spec["initContainers"], granted, scoring=scoring)
    own = spec.get("resources", {}).get("requests")
    if own:
        total.update(amounts(own))
    if spec.get("overhead"):
        _add(total, amounts(spec["overhead"]))
    return total


def _add_init_containers(
    total: dict[str, int], containers: Iterable[Mapping[str, Any]], granted: Mapping[str, Amounts], *, scoring: bool
) -> None:
    """Raise the containers' total to what the start of the pod needs at its highest."""
    sidecars: dict[str, int] = {}
    highest: dict[str, int] = {}
    for container in containers:
        requests = _container_requests(container, granted, scoring=scoring)
        if container.get("restartPolicy") == "Always":
            _add(total, requests)
            _add(sidecars, requests)
            requests = sidecars
        else:
            for name, wanted in sidecars.items():
                requests[name] = requests.get(name, 0) + wanted
        for name, wanted in requests.items():
            highest[name] = max(highest.get(name, 0), wanted)
    for name, wanted in highest.items():
        total[name] = max(total.get(name, 0), wanted)


def _container_requests(
    container: Mapping[str, Any], granted: Mapping[str, Amounts], *, scoring: bool
) -> dict[str, int]:
    """What a container asks for, or holds already; for scoring it asks for something of everything."""
    requests = amounts(container.get("resources", {}).get("requests", {}))
    for name, held in granted.get(container["name"], {}).items():
        requests[name] = max(requests.get(name, 0), held)
    if scoring:
        requests.setdefault(CPU, DEFAULT_CPU)
        requests.setdefault(MEMORY, DEFAULT_MEMORY)
    return requests


def _granted(pod: Mapping[str, Any]) -> dict[str, Amounts]:
    """What the kubelet says that the containers hold, by container."""
    status = pod.get("status", {})
    held: dict[str, Amounts] = {}
    for one in (*status.get("containerStatuses", ()), *status.get("initContainerStatuses", ())):
        found = dict(amounts(one.get("allocatedResources", {})))
        for name, actual in amounts(one.get("resources", {}).get("requests", {})).items():
            found[name] = max(found.get(name, 0), actual)
        if found:
            held[one["name"]] = found
    return held


def _add(total: dict[str, int], more: Amounts) -> None:
    for name, wanted in more.items():
        total[name] = total.get(name, 0) + wanted
