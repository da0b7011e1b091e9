"""What the limits of a LimitRange get when they are left out (pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.kube_apiserver.defaulting.pods import round_amounts


def default_limit_range(limit_range: dict[str, Any]) -> None:
    """For containers the maximum is the default limit, and the default limit, then the minimum, the default request."""
    for limit in limit_range.get("spec", {}).get("limits") or ():
        round_amounts(limit, "max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
        if limit.get("type") != "Container":
            continue
        limits = {**limit.get("max", {}), **limit.get("default", {})}
        requests = {**limit.get("min", {}), **limits, **limit.get("defaultRequest", {})}
        for name, amounts in (("default", limits), ("defaultRequest", requests)):
            if amounts:
                limit[name] = amounts
