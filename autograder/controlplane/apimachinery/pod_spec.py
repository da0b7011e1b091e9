"""The containers of a pod, of which its spec has three lists (``VisitContainers`` of pkg/api/v1/pod)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

CONTAINER_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")


def all_containers(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every container: init containers, containers, ephemeral containers."""
    for name in CONTAINER_LISTS:
        yield from spec.get(name) or ()


def initial_containers(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The containers that a pod begins with, which may request resources: containers, then init containers."""
    for name in ("containers", "initContainers"):
        yield from spec.get(name) or ()
