"""The tables of configuration and limits: ConfigMaps, Secrets, ServiceAccounts, quotas, budgets, autoscalers."""

from __future__ import annotations

from typing import Any, Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.old_autoscalers import to_v2
from autograder.controlplane.kube_apiserver.tables.printer import (
    AGE,
    NAME,
    NONE,
    UNSET,
    Column,
    Printer,
    age_of,
    name_of,
    quantity,
)

#: How many metrics of an autoscaler a cell lists before it says how many more there are.
SHOWN: Final = 2

#: The field of a metric's source by its type, and whether its target names a resource.
_METRIC_SOURCES: Final = {
    "External": ("external", False),
    "Pods": ("pods", False),
    "Object": ("object", False),
    "Resource": ("resource", True),
    "ContainerResource": ("containerResource", True),
}
_UNKNOWN: Final = "<unknown>"


def _config_map(obj: Object, now: int) -> list[Any]:
    return [name_of(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age_of(obj, now)]


def _secret(obj: Object, now: int) -> list[Any]:
    return [name_of(obj), obj.get("type", ""), len(obj.get("data") or ()), age_of(obj, now)]


def _service_account(obj: Object, now: int) -> list[Any]:
    return [name_of(obj), age_of(obj, now)]


def _resource_quota(obj: Object, now: int) -> list[Any]:
    status = obj.get("status") or {}
    hard = status.get("hard") or {}
    used = {name: f"{name}: {quantity(status.get('used'), name)}/{hard[name]}" for name in sorted(hard)}
    requests = ", ".join(text for name, text in used.items() if not name.startswith("limits."))
    limits = ", ".join(text for name, text in used.items() if name.startswith("limits."))
    return [name_of(obj), requests, limits, age_of(obj, now)]


def _disruption_budget(obj: Object, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    return [
        name_of(obj),
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        (obj.get("status") or {}).get("disruptionsAllowed", 0),
        age_of(obj, now),
    ]


def _autoscaler(obj: Object, now: int) -> list[Any]:
    obj = to_v2(obj)
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    least = spec.get("minReplicas")
    return [
        name_of(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _metrics(spec.get("metrics") or (), status.get("currentMetrics") or ()),
        UNSET if least is None else str(least),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age_of(obj, now),
    ]


def _metrics(wanted: Any, current: Any) -> str:
    """Each metric as ``current/target``."""
    if not wanted:
        return NONE
    listed = [_metric(metric, current[i] if i < len(current) else {}) for i, metric in enumerate(wanted)]
    text = ", ".join(listed[:SHOWN])
    return f"{text} + {len(listed) - SHOWN} more..." if len(listed) > SHOWN else text


def _metric(wanted: Object, current: Object) -> str:
    if wanted.get("type") not in _METRIC_SOURCES:
        return "<unknown type>"
    source, of_resource = _METRIC_SOURCES[wanted["type"]]
    spec, known = wanted[source], current.get(source)
    target, found = spec["target"], (known or {}).get("current") or {}
    average = target.get("averageValue")
    if of_resource:
        if average is not None:
            return f"{spec['name']}: {found.get('averageValue', _UNKNOWN)}/{average}"
        return f"{spec['name']}: {_percent(found, _UNKNOWN)}/{_percent(target, '<auto>')}"
    if average is not None:
        suffix = "" if source == "pods" else " (avg)"
        return f"{found.get('averageValue', _UNKNOWN)}/{average}{suffix}"
    value = _UNKNOWN if known is None else found.get("value", "0")
    return f"{value}/{target.get('value', '<nil>')}"


def _percent(amounts: Object, missing: str) -> str:
    share = amounts.get("averageUtilization")
    return missing if share is None else f"{share}%"


PRINTERS: Final = {
    ("", "ConfigMap"): Printer((NAME, Column("Data", "core.v1.ConfigMap.data"), AGE), _config_map),
    ("", "Secret"): Printer(
        (NAME, Column("Type", "core.v1.Secret.type"), Column("Data", "core.v1.Secret.data"), AGE), _secret
    ),
    ("", "ServiceAccount"): Printer((NAME, AGE), _service_account),
    ("", "ResourceQuota"): Printer(
        (
            NAME,
            Column(
                "Request",
                text="Request represents a minimum amount of cpu/memory that a container may consume.",
            ),
            Column(
                "Limit",
                text="Limits control the maximum amount of cpu/memory that a container may use independent of "
                "contention on the node.",
            ),
            AGE,
        ),
        _resource_quota,
    ),
    ("policy", "PodDisruptionBudget"): Printer(
        (
            NAME,
            Column("Min Available", text="The minimum number of pods that must be available."),
            Column("Max Unavailable", text="The maximum number of pods that may be unavailable."),
            Column(
                "Allowed Disruptions",
                type="integer",
                text="Calculated number of pods that may be disrupted at this time.",
            ),
            AGE,
        ),
        _disruption_budget,
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): Printer(
        (
            NAME,
            Column("Reference", "autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef"),
            Column("Targets", "autoscaling.v2.HorizontalPodAutoscalerSpec.metrics"),
            Column("MinPods", "autoscaling.v2.HorizontalPodAutoscalerSpec.minReplicas"),
            Column("MaxPods", "autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas"),
            Column("Replicas", "autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas"),
            AGE,
        ),
        _autoscaler,
    ),
}
