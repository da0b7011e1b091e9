"""Defaults of ResourceQuotas (pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.kube_apiserver.defaulting.pods import round_amounts


def default_resource_quota(quota: dict[str, Any]) -> None:
    """Amounts are counted in thousandths."""
    round_amounts(quota.get("spec", {}), "hard")
    round_amounts(quota.get("status", {}), "hard", "used")
