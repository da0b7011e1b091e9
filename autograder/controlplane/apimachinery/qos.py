"""The quality of service of a pod, by what it requests and may use at most: who is evicted first under pressure.

Source: pkg/apis/core/v1/helper/qos.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.pod_spec import initial_containers
from autograder.controlplane.apimachinery.quantity import Quantity
from autograder.controlplane.apimachinery.resources import ResourceList, add

COMPUTE_RESOURCES = ("cpu", "memory")


def qos_class(spec: Mapping[str, Any]) -> str:
    """``Guaranteed``, ``Burstable`` or ``BestEffort``, for the spec of a pod.

    Guaranteed pods have limits in every container that equal the requests, BestEffort ones have neither. Resources of
    the pod as a whole, if stated, count instead of those of its containers.
    """
    whole = "resources" in spec
    holders = [spec] if whole else initial_containers(spec)
    requests: ResourceList = {}
    limits: ResourceList = {}
    all_limited = True
    for holder in holders:
        stated = holder.get("resources", {})
        own_limits = _compute(stated.get("limits", {}))
        requests, limits = add(requests, _compute(stated.get("requests", {}))), add(limits, own_limits)
        all_limited &= len(own_limits) == len(COMPUTE_RESOURCES) or (whole and not stated.get("limits"))
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if all_limited and requests == limits else "Burstable"


def _compute(amounts: Mapping[str, str]) -> dict[str, Quantity]:
    parsed = {name: quantity.parse(amounts[name]) for name in COMPUTE_RESOURCES if name in amounts}
    return {name: amount for name, amount in parsed.items() if amount > quantity.parse("0")}
