"""Conditions of objects: lists of ``type``, ``status``, ``reason``, ``message`` and times; always new lists.

Anybody may write a status: only type and status are sure to be there.
"""

from __future__ import annotations

from collections.abc import Iterable

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object

Conditions = list[Object]


def find(conditions: Iterable[Object], kind: str) -> Object | None:
    """The condition of a type, or None."""
    return next((found for found in conditions if found["type"] == kind), None)


def since(condition: Object, field: str = "lastTransitionTime") -> int:
    """A time of a condition in microseconds; 0 where it has none."""
    text = condition.get(field)
    return timestamps.parse(text) if text else 0


def without(conditions: Iterable[Object], kind: str) -> Conditions:
    """All conditions but those of a type."""
    return [found for found in conditions if found["type"] != kind]


def with_new(conditions: Conditions, condition: Object) -> Conditions:
    """The conditions with ``condition`` at the end, unless one of its type says the same (status and reason)."""
    current = find(conditions, condition["type"])
    if current and (current["status"], current.get("reason")) == (condition["status"], condition.get("reason")):
        return conditions
    if current and current["status"] == condition["status"] and "lastTransitionTime" in current:
        condition = {**condition, "lastTransitionTime": current["lastTransitionTime"]}
    return [*without(conditions, condition["type"]), condition]
