"""What a HorizontalPodAutoscaler gets when a field is left out (pkg/apis/autoscaling/v1 and v2/defaults.go)."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.apimachinery.emptied import as_given

SCALE_PERIOD_SECONDS = 15


def default_horizontal_pod_autoscaler(autoscaler: dict[str, Any]) -> None:
    """At least one replica, 80 % of the requested CPU, and the standard rules in each direction of a behavior."""
    spec = autoscaler.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if "behavior" in spec:
        behavior = spec["behavior"]
        behavior["scaleUp"] = _completed(behavior.get("scaleUp", {}), _standard_scale_up())
        behavior["scaleDown"] = _completed(behavior.get("scaleDown", {}), _standard_scale_down())


def default_old_horizontal_pod_autoscaler(autoscaler: dict[str, Any]) -> None:
    """In the older version, at least one replica; the CPU comes when it is turned into the newer one."""
    autoscaler.setdefault("spec", {}).setdefault("minReplicas", 1)


def _completed(rules: dict[str, Any], standard: dict[str, Any]) -> dict[str, Any]:
    """The rules of one direction; a list of policies that was given empty stays so, for validation to refuse."""
    if as_given(rules, "policies") == []:
        del standard["policies"]
    return {**standard, **rules}


def _standard_scale_up() -> dict[str, Any]:
    """Four pods or twice as many every 15 seconds, whichever is more."""
    policies = [_policy("Pods", 4), _policy("Percent", 100)]
    return {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": policies}


def _standard_scale_down() -> dict[str, Any]:
    """To any number; the window is a setting of the controller."""
    return {"selectPolicy": "Max", "policies": [_policy("Percent", 100)]}


def _policy(kind: str, value: int) -> dict[str, Any]:
    return {"type": kind, "value": value, "periodSeconds": SCALE_PERIOD_SECONDS}
