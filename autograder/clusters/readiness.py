"""Whether a Node or a Pod can be used."""

from __future__ import annotations

from autograder.clusters.interface import Object


def is_ready(obj: Object) -> bool:
    """Whether the condition Ready is True."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
