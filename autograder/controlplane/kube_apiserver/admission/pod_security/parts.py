"""How violations of the Pod Security Standards are told, and the parts of a pod that the checks look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.controlplane.apimachinery.pod_spec import all_containers

Obj = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """What a standard does not allow, in a word, and where the pod has it."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})"


#: Judges the metadata and the spec of a pod.
Rule = Callable[[Obj, Obj], Violation | None]


def listed(items: Sequence[str]) -> str:
    """``"a", "b"``."""
    return ", ".join(f'"{item}"' for item in items)


def counted(word: str, items: Sequence[Any]) -> str:
    """The word, in the plural unless there is one item."""
    return word if len(items) == 1 else f"{word}s"


def named(word: str, names: Sequence[str]) -> str:
    """``container "a"``; ``containers "a", "b"``."""
    return f"{counted(word, names)} {listed(names)}"


def who_sets(pod: bool, containers: Sequence[str]) -> str:
    """Who sets a value; empty when nobody does."""
    return " and ".join((["pod"] if pod else []) + ([named("container", containers)] if containers else []))


# ---------------------------------------------------------------- parts of pods


def contexts(spec: Obj) -> Iterator[tuple[str, Obj]]:
    """The name and the security context of each container."""
    for container in all_containers(spec):
        yield container["name"], container.get("securityContext") or {}


def pod_context(spec: Obj) -> Obj:
    """The security context of the pod as a whole."""
    context: Obj = spec.get("securityContext") or {}
    return context


def has_own_users(spec: Obj) -> bool:
    """Whether users in the pod are not those of the host (``hostUsers: false``)."""
    return spec.get("hostUsers") is False
