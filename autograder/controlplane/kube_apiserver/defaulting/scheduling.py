"""What a PriorityClass gets when a field is left out (pkg/apis/scheduling/v1/defaults.go)."""

from __future__ import annotations

from typing import Any


def default_priority_class(priority_class: dict[str, Any]) -> None:
    """Pods of the class may push out pods of lower priority."""
    priority_class.setdefault("preemptionPolicy", "PreemptLowerPriority")
