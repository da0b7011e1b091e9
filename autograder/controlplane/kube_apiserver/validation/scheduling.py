"""The rules for PriorityClasses (pkg/apis/scheduling/validation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, forbidden
from autograder.controlplane.kube_apiserver.validation.meta import (
    immutable,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.rules import required_one_of

HIGHEST_USER_PRIORITY = 1_000_000_000
SYSTEM_PREFIX = "system-"
#: The priority of each class that Kubernetes itself brings.
SYSTEM_CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000}
PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")


def validate_priority_class(priority_class: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new PriorityClass."""
    return [*validate_metadata(priority_class["metadata"], namespaced=False), *_validate_fields(priority_class)]


def validate_priority_class_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; priority and preemption stay."""
    errors = [*validate_metadata_update(new["metadata"], old["metadata"])]
    if new.get("value", 0) != old.get("value", 0):
        errors.append(forbidden(Path("value"), "may not be changed in an update."))
    errors += immutable(new.get("preemptionPolicy"), old.get("preemptionPolicy"), Path("preemptionPolicy"))
    return errors


def _validate_fields(priority_class: dict[str, Any]) -> Iterator[FieldError]:
    name, value = priority_class["metadata"].get("name", ""), priority_class.get("value", 0)
    if name.startswith(SYSTEM_PREFIX):
        if problem := _system_problem(name, value, is_default=bool(priority_class.get("globalDefault"))):
            reserved = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only."
            yield forbidden(Path("metadata").child("name"), f"{reserved} error: {problem}")
    elif value > HIGHEST_USER_PRIORITY:
        limit = f"maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"
        yield forbidden(Path("value"), limit)
    if "preemptionPolicy" in priority_class:
        policy = priority_class["preemptionPolicy"]
        yield from required_one_of(policy, Path("preemptionPolicy"), PREEMPTION_POLICIES)


def _system_problem(name: str, value: int, *, is_default: bool) -> str:
    if name not in SYSTEM_CLASSES:
        return f"{name} is not a known system priority class"
    if value != SYSTEM_CLASSES[name]:
        return f"value of {name} PriorityClass must be {SYSTEM_CLASSES[name]}"
    return f"globalDefault of {name} PriorityClass must be false" if is_default else ""
