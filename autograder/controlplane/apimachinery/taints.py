"""Taints of nodes and the tolerations of pods that cover them: one reading for the scheduler and the controllers.

Source: component-helpers/scheduling/corev1 (helpers.go, tolerations).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from autograder.controlplane.apimachinery.wire import Object

NO_SCHEDULE: Final = "NoSchedule"
PREFER_NO_SCHEDULE: Final = "PreferNoSchedule"
NO_EXECUTE: Final = "NoExecute"


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node."""

    key: str
    value: str
    effect: str

    @classmethod
    def of(cls, taint: Object) -> Self:
        """The taint of an entry of ``spec.taints``."""
        return cls(taint["key"], taint.get("value", ""), taint["effect"])


def tolerates(toleration: Object, taint: Taint) -> bool:
    """Whether one toleration covers a taint; an empty key or effect covers all."""
    if toleration.get("effect") and toleration["effect"] != taint.effect:
        return False
    if toleration.get("key") and toleration["key"] != taint.key:
        return False
    operator = toleration.get("operator") or "Equal"
    return operator == "Exists" or (operator == "Equal" and toleration.get("value", "") == taint.value)


def tolerated(tolerations: Iterable[Object], taint: Taint) -> bool:
    """Whether any toleration covers a taint."""
    return any(tolerates(toleration, taint) for toleration in tolerations)
