"""What Nodes get when a field is left out (pkg/apis/core/v1/defaults.go and conversion.go)."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.kube_apiserver.defaulting.pods import round_amounts


def default_node(node: dict[str, Any]) -> None:
    """All capacity is allocatable; ``podCIDR`` is the first of ``podCIDRs`` and wins where they differ."""
    status = node.setdefault("status", {})
    if status.get("capacity") and "allocatable" not in status:
        status["allocatable"] = dict(status["capacity"])
    round_amounts(status, "capacity", "allocatable")
    spec = node.setdefault("spec", {})
    single, several = spec.get("podCIDR"), spec.get("podCIDRs")
    if single and (not several or several[0] != single):
        spec["podCIDRs"] = [single]
    elif several:
        spec["podCIDR"] = several[0]
