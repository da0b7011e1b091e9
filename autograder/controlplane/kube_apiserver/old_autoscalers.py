"""HorizontalPodAutoscalers as ``autoscaling/v1`` has them, and as ``autoscaling/v2`` has them.

v1 has one number for the CPU.  What it has no fields for stands there in annotations, so that nothing is lost when an
autoscaler goes from one version to the other and back.  Source: pkg/apis/autoscaling/v1/conversion.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import quantity, scheme
from autograder.controlplane.apimachinery.field import go_json
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.decoding import normal_form
from autograder.controlplane.kube_apiserver.parsing import parse
from autograder.controlplane.kube_apiserver.reading import reader_of

V2: Final = scheme.HORIZONTALPODAUTOSCALERS
V1: Final = scheme.OLD_HORIZONTALPODAUTOSCALERS

#: CPU that is aimed at where nothing is said, in percent of what is requested.
DEFAULT_UTILIZATION: Final = 80

_PREFIX: Final = "autoscaling.alpha.kubernetes.io/"
_METRICS: Final = f"{_PREFIX}metrics"
_CURRENT_METRICS: Final = f"{_PREFIX}current-metrics"
_CONDITIONS: Final = f"{_PREFIX}conditions"
_BEHAVIOR: Final = f"{_PREFIX}behavior"
_TOLERANCES: Final = (f"{_PREFIX}scale-down-tolerance", f"{_PREFIX}scale-up-tolerance")
_ANNOTATIONS: Final = frozenset({_METRICS, _CURRENT_METRICS, _CONDITIONS, _BEHAVIOR, *_TOLERANCES})

#: Source of a metric -> the fields of v1, and where v2 has each of them.
Fields = Mapping[str, Mapping[str, tuple[str, ...]]]

#: The fields that both versions of a spec and of a status have.
_OF_SPEC: Final = ("scaleTargetRef", "minReplicas", "maxReplicas")
_OF_STATUS: Final = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")

_TARGETS: Final[Fields] = {
    "object": {
        "target": ("describedObject",),
        "metricName": ("metric", "name"),
        "targetValue": ("target", "value"),
        "selector": ("metric", "selector"),
        "averageValue": ("target", "averageValue"),
    },
    "pods": {
        "metricName": ("metric", "name"),
        "targetAverageValue": ("target", "averageValue"),
        "selector": ("metric", "selector"),
    },
    "resource": {
        "name": ("name",),
        "targetAverageUtilization": ("target", "averageUtilization"),
        "targetAverageValue": ("target", "averageValue"),
    },
    "containerResource": {
        "name": ("name",),
        "targetAverageUtilization": ("target", "averageUtilization"),
        "targetAverageValue": ("target", "averageValue"),
        "container": ("container",),
    },
    "external": {
        "metricName": ("metric", "name"),
        "metricSelector": ("metric", "selector"),
        "targetValue": ("target", "value"),
        "targetAverageValue": ("target", "averageValue"),
    },
}


def _measured(fields: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """The fields of what is measured, which is called ``current`` and not ``target``."""
    renamed = {}
    for name, path in fields.items():
        if path[0] == "target":
            name, path = name.replace("target", "current"), ("current", *path[1:])
        renamed[name] = path
    return renamed


_CURRENT: Final[Fields] = {source: _measured(fields) for source, fields in _TARGETS.items()}

#: The fields of a behavior, which is kept in its annotation as a real server holds it in memory.
_RULES: Final = ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
_POLICY: Final = ("type", "value", "periodSeconds")


def to_v2(autoscaler: Object) -> Object:
    """The autoscaler as ``autoscaling/v2`` has it; one that is in that form already stays as it is."""
    if autoscaler["apiVersion"] == V2.api_version:
        return autoscaler
    meta, spec, status = autoscaler["metadata"], autoscaler.get("spec", {}), autoscaler.get("status", {})
    annotations: Mapping[str, str] = meta.get("annotations", {})
    spec_v2: Object = {name: spec[name] for name in _OF_SPEC if name in spec}
    metrics = [_metric_to_v2(one) for one in _unpacked(annotations.get(_METRICS), "MetricSpec") or ()]
    if "targetCPUUtilizationPercentage" in spec:
        metrics.append(_cpu("target", spec["targetCPUUtilizationPercentage"], kind="Utilization"))
    spec_v2["metrics"] = metrics or [_cpu("target", DEFAULT_UTILIZATION, kind="Utilization")]
    if behavior := _unpacked_behavior(annotations.get(_BEHAVIOR)):
        spec_v2["behavior"] = behavior
    status_v2: Object = {name: status[name] for name in _OF_STATUS if name in status}
    if "currentCPUUtilizationPercentage" in status:
        status_v2["currentMetrics"] = [_cpu("current", status["currentCPUUtilizationPercentage"])]
    if (measured := _unpacked(annotations.get(_CURRENT_METRICS), "MetricStatus")) is not None:
        status_v2["currentMetrics"] = [_renamed(one, _CURRENT) for one in measured]
    if (conditions := _unpacked(annotations.get(_CONDITIONS), "HorizontalPodAutoscalerCondition")) is not None:
        status_v2["conditions"] = conditions
    return normal_form(
        {**autoscaler, "apiVersion": V2.api_version, "metadata": _bare(meta), "spec": spec_v2, "status": status_v2},
        V2.go_type,
    )


def to_v1(autoscaler: Object) -> Object:
    """The autoscaler as ``autoscaling/v1`` has it; one that is in that form already stays as it is."""
    if autoscaler["apiVersion"] == V1.api_version:
        return autoscaler
    spec, status = autoscaler.get("spec", {}), autoscaler.get("status", {})
    metrics, measured = spec.get("metrics") or [], status.get("currentMetrics") or []
    utilizations = [metric["resource"]["target"]["averageUtilization"] for metric in metrics if _is_utilization(metric)]
    spec_v1: Object = {name: spec[name] for name in _OF_SPEC if name in spec}
    if utilizations:
        spec_v1["targetCPUUtilizationPercentage"] = utilizations[0]
    status_v1: Object = {name: status[name] for name in _OF_STATUS if name in status}
    for metric in measured:
        resource = metric.get("resource") or {}
        if resource.get("name") == "cpu" and "averageUtilization" in resource.get("current", {}):
            status_v1["currentCPUUtilizationPercentage"] = resource["current"]["averageUtilization"]
    packed = {
        _METRICS: [_metric_to_v1(metric, _TARGETS, "MetricSpec") for metric in metrics if not _is_utilization(metric)],
        _CURRENT_METRICS: [_metric_to_v1(metric, _CURRENT, "MetricStatus") for metric in measured],
        _BEHAVIOR: _packed_behavior(spec["behavior"]) if "behavior" in spec else None,
        _CONDITIONS: status.get("conditions"),
    }
    annotations = {name: go_json(value) for name, value in packed.items() if value}
    meta = _bare(autoscaler["metadata"])
    if annotations:
        meta["annotations"] = {**meta.get("annotations", {}), **annotations}
    return normal_form(
        {**autoscaler, "apiVersion": V1.api_version, "metadata": meta, "spec": spec_v1, "status": status_v1}, V1.go_type
    )


def _bare(meta: Object) -> Object:
    """The metadata without what stands for fields."""
    annotations = {name: text for name, text in meta.get("annotations", {}).items() if name not in _ANNOTATIONS}
    bare = {name: value for name, value in meta.items() if name != "annotations"}
    return {**bare, "annotations": annotations} if annotations else bare


def _cpu(part: str, utilization: int, *, kind: str = "") -> Object:
    value: Object = {"type": kind} if kind else {}
    return {"type": "Resource", "resource": {"name": "cpu", part: {**value, "averageUtilization": utilization}}}


def _is_utilization(metric: Object) -> bool:
    """Whether v1 has a field for a metric."""
    resource = metric.get("resource") or {}
    is_of_cpu = metric.get("type") == "Resource" and resource.get("name") == "cpu"
    return is_of_cpu and "averageUtilization" in resource.get("target", {})


# ---------------------------------------------------------------- metrics


def _metric_to_v1(metric: Object, table: Fields, type_name: str) -> Object:
    found: Object = {"type": metric.get("type", "")}
    for source, fields in table.items():
        if source in metric:
            values = {name: _at(metric[source], path) for name, path in fields.items()}
            found[source] = {name: value for name, value in values.items() if value is not None}
    return normal_form(found, f"autoscaling/v1.{type_name}")


def _metric_to_v2(given: Object) -> Object:
    metric = _renamed(given, _TARGETS)
    for source in _TARGETS.keys() & metric.keys():
        target = metric[source].setdefault("target", {})
        if source in ("resource", "containerResource"):
            target["type"] = "Utilization" if "averageUtilization" in target else "AverageValue"
        elif source == "object" and "averageValue" in target and not quantity.parse(target["value"]):
            del target["value"]
        if source in ("object", "pods"):
            target["type"] = "AverageValue" if "averageValue" in target else "Value"
        elif source == "external":
            target["type"] = "Value" if "value" in target else "AverageValue"
    return metric


def _renamed(given: Object, table: Fields) -> Object:
    """A metric of v1 with its fields where v2 has them."""
    metric: Object = {"type": given["type"]}
    for source, fields in table.items():
        if source in given:
            metric[source] = {}
            for name, path in fields.items():
                if name in given[source]:
                    _put(metric[source], path, given[source][name])
    return metric


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        value = (value or {}).get(key)
    return value


def _put(target: Object, path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        target = target.setdefault(key, {})
    target[path[-1]] = value


# ---------------------------------------------------------------- annotations


def _unpacked(text: str | None, type_name: str) -> list[Object] | None:
    """The list that an annotation holds, of a type of v1; None if there is none, or it cannot be read."""
    if text is None:
        return None
    try:
        found: list[Object] = reader_of(f"[]{V1.api_version}.{type_name}")(parse(text.encode()), [])
    except ValueError:  # anybody may write the annotation
        return None
    return found


def _packed_behavior(behavior: Object) -> Object:
    packed: Object = {"ScaleUp": None, "ScaleDown": None}
    for direction, rules in behavior.items():
        if rules is None:
            continue
        policies = [{_capital(name): one.get(name) for name in _POLICY} for one in rules.get("policies") or ()]
        held = {_capital(name): rules.get(name) for name in _RULES}
        packed[_capital(direction)] = {**held, "Policies": policies or None}
    return packed


def _unpacked_behavior(text: str | None) -> Object | None:
    try:
        held = parse((text or "null").encode()) or {}
        behavior: Object = {}
        for direction in ("scaleUp", "scaleDown"):
            if rules := held.get(_capital(direction)):
                found = {name: rules.get(_capital(name)) for name in _RULES}
                policies = [{name: one.get(_capital(name)) for name in _POLICY} for one in found["policies"] or ()]
                known = {name: value for name, value in found.items() if value is not None}
                behavior[direction] = {**known, **({"policies": policies} if policies else {})}
        return normal_form(behavior, "autoscaling/v2.HorizontalPodAutoscalerBehavior")
    except (ValueError, TypeError, AttributeError):  # anybody may write the annotation
        return None


def _capital(name: str) -> str:
    return name[0].upper() + name[1:]
