"""What is said of the containers of a pod: their amounts of memory, environment and ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery.field import Path, quoted
from autograder.controlplane.kube_apiserver.validation.security import containers_of
from autograder.controlplane.kube_apiserver.warnings.quantities import of_whole_bytes

Object = Mapping[str, Any]

_AMOUNTS: Final = (
    ("limits", "memory"), ("requests", "memory"), ("limits", "ephemeral-storage"), ("requests", "ephemeral-storage"),
)  # fmt: skip
#: Fields of a port in the order of the Go type, with what stands for one that is not given.
_PORT_FIELDS: Final = {"name": "", "hostPort": 0, "containerPort": 0, "protocol": "", "hostIP": ""}


def of_container(container: Object, path: Path) -> Iterator[str]:
    """What is said of one container's amounts and environment."""
    resources = container.get("resources") or {}
    for kind, resource in _AMOUNTS:
        yield from of_whole_bytes(resources.get(kind), path.child("resources").child(kind), resource)
    seen = set()
    for position, variable in enumerate(container.get("env") or ()):
        name = variable["name"]
        if name in seen and _hides(variable):
            hides = f"hides previous definition of {quoted(name)}, which may be dropped when using apply"
            yield f"{path.child('env').index(position)}: {hides}"
        seen.add(name)


def _hides(variable: Object) -> bool:
    """Whether a variable that is defined again does not go on from what it was."""
    reference, value = f"$({variable['name']})", variable.get("value", "")
    return "valueFrom" in variable or value == reference or reference not in value


def of_ports(spec: Object, path: Path) -> Iterator[str]:
    """What is said of ports that are the same, in one container or in several."""
    defined: dict[tuple[int, str], list[tuple[Object, Path]]] = {}
    for port, here in _ports(spec, path):
        if port.get("hostIP") and not port.get("hostPort"):
            yield f"{here}: hostIP set without hostPort: {_shown(port)}"
        others = defined.setdefault((port["containerPort"], port["protocol"]), [])
        for other, there in others:
            if words := _relation(port, other):
                yield f"{here}: {words} port definition with {there}"
        others.append((port, here))
    named: dict[str, Path] = {}
    for port, here in _ports(spec, path):
        name = port.get("name")
        if name and name in named:
            first = named[name]
            used = f"services and probes that select ports by name will use {first}"
            yield f"{here}: duplicate port name {quoted(name)} with {first}, {used}"
        elif name:
            named[name] = here


def _ports(spec: Object, path: Path) -> Iterator[tuple[Object, Path]]:
    for container, here in containers_of(spec, path):
        for position, port in enumerate(container.get("ports") or ()):
            yield port, here.child("ports").index(position)


def _relation(port: Object, other: Object) -> str:
    """How a port relates to one of the same number and protocol; empty where they go together."""
    (address, number), (its_address, its_number) = (
        (one.get("hostIP", ""), one.get("hostPort", 0)) for one in (port, other)
    )
    if (address, number) == (its_address, its_number):
        return "duplicate"
    if not number or not its_number:
        return "overlapping"
    return "dangerously ambiguous" if number == its_number and bool(address) != bool(its_address) else ""


def _shown(port: Object) -> str:
    """A port as Go prints the struct."""
    parts = (f"{name[0].upper()}{name[1:]}:{port.get(name, default)}" for name, default in _PORT_FIELDS.items())
    return "{" + " ".join(parts) + "}"
