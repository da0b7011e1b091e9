"""The rules for HorizontalPodAutoscalers (pkg/apis/autoscaling/validation)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, forbidden, invalid, not_supported, required
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import (
    not_negative,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.resource_names import validate_container_resource_name
from autograder.controlplane.kube_apiserver.validation.rules import (
    not_negative_quantity,
    one_of,
    positive_quantity,
    required_name,
)

MAX_PERIOD_SECONDS = 1800
MAX_STABILIZATION_SECONDS = 3600
METRIC_TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")
TARGET_TYPES = ("Utilization", "Value", "AverageValue")
POLICY_TYPES = ("Percent", "Pods")
SELECT_POLICIES = ("Disabled", "Max", "Min")
#: The field of each type of metric, in the order in which they are looked at.
SOURCES = {
    "Object": "object", "External": "external", "Pods": "pods", "Resource": "resource",
    "ContainerResource": "containerResource",
}  # fmt: skip


@dataclass(frozen=True)
class _Tolerances:
    """What an update may keep although a new object may not have it."""

    least_replicas: int = 1
    any_target_version: bool = False
    core_target: bool = False
    any_object_version: bool = False


def validate_horizontal_pod_autoscaler(autoscaler: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new HorizontalPodAutoscaler."""
    tolerances = _Tolerances(core_target=_target(autoscaler).get("kind") == "ReplicationController")
    return [
        *validate_metadata(autoscaler["metadata"], namespaced=True),
        *_validate_spec(autoscaler.get("spec", {}), tolerances),
    ]


def validate_horizontal_pod_autoscaler_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``."""
    return [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *_validate_spec(new["spec"], _tolerances_of_update(new, old)),
    ]


def validate_horizontal_pod_autoscaler_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with new counts of replicas."""
    errors = [*validate_metadata_update(new["metadata"], old["metadata"])]
    for name in ("currentReplicas", "desiredReplicas"):
        errors += not_negative(new.get("status", {}).get(name, 0), Path("status").child(name))
    return errors


def _target(autoscaler: dict[str, Any]) -> dict[str, Any]:
    target: dict[str, Any] = autoscaler.get("spec", {}).get("scaleTargetRef", {})
    return target


def _tolerances_of_update(new: dict[str, Any], old: dict[str, Any]) -> _Tolerances:
    target, old_target, old_spec = _target(new), _target(old), old.get("spec", {})
    tolerances = _Tolerances(least_replicas=0 if old_spec.get("minReplicas") == 0 else 1)
    if all(target.get(name, "") == old_target.get(name, "") for name in ("apiVersion", "kind")):
        tolerances = replace(tolerances, any_target_version=True)
    elif target.get("kind") == "ReplicationController":
        tolerances = replace(tolerances, core_target=True)
    objects = [metric["object"] for metric in old_spec.get("metrics", ()) if metric.get("object")]
    if any(_version_problem(one.get("describedObject", {}), core=True) for one in objects):
        tolerances = replace(tolerances, any_object_version=True)
    return tolerances


def _validate_spec(spec: dict[str, Any], tolerances: _Tolerances) -> Iterator[FieldError]:
    path, least, most = Path("spec"), spec.get("minReplicas"), spec.get("maxReplicas", 0)
    if least is not None and least < tolerances.least_replicas:
        limit = f"must be greater than or equal to {tolerances.least_replicas}"
        yield invalid(path.child("minReplicas"), least, limit)
    if most == 0:
        yield required(path.child("maxReplicas"), "must be set and greater than 0")
    elif most < 0:
        yield invalid(path.child("maxReplicas"), most, "must be greater than or equal to 1")
    if least is not None and most < least:
        yield invalid(path.child("maxReplicas"), most, "must be greater than or equal to `minReplicas`")
    yield from _validate_reference(
        spec.get("scaleTargetRef", {}), path.child("scaleTargetRef"),
        core=tolerances.core_target, any_version=tolerances.any_target_version,
    )  # fmt: skip
    metrics = spec.get("metrics", [])
    for index, metric in enumerate(metrics):
        yield from _validate_metric(metric, path.child("metrics").index(index), tolerances)
    if least == 0 and not any(metric.get("type") in ("Object", "External") for metric in metrics):
        only = "must specify at least one Object or External metric to support scaling to zero replicas"
        yield forbidden(path.child("metrics"), only)
    for direction in ("scaleUp", "scaleDown"):
        if direction in spec.get("behavior", {}):
            yield from _validate_scaling(spec["behavior"][direction], path.child("behavior").child(direction))


def _validate_reference(
    reference: dict[str, Any], path: Path, *, core: bool, any_version: bool
) -> Iterator[FieldError]:
    for name in ("kind", "name"):
        yield from required_name(reference.get(name, ""), path.child(name), names.path_segment)
    if not any_version and (problem := _version_problem(reference, core=core)):
        yield invalid(path.child("apiVersion"), reference.get("apiVersion", ""), problem)


def _version_problem(reference: dict[str, Any], *, core: bool) -> str:
    """What is wrong with the ``apiVersion`` of a reference; ``core`` allows one without a group."""
    version = reference.get("apiVersion", "")
    if version.count("/") > 1:
        return f"unexpected GroupVersion string: {version}"
    has_group = "/" in version and not version.startswith("/")
    return "" if core or has_group else "apiVersion must specify API group"


def _validate_metric(metric: dict[str, Any], path: Path, tolerances: _Tolerances) -> Iterator[FieldError]:
    kind = metric.get("type", "")
    if not kind:
        yield required(path.child("type"), "must specify a metric source type")
    yield from one_of(kind, path.child("type"), METRIC_TYPES)
    present = [source for source in SOURCES.values() if source in metric]
    if present:
        yield from _validate_source(present[0], metric[present[0]], path.child(present[0]), tolerances)
    expected = SOURCES.get(kind)
    if expected is None:
        yield not_supported(path.child("type"), kind, METRIC_TYPES)
    elif expected not in metric:
        yield required(path.child(expected), "must populate information for the given metric source")
    if len(present) != 1:
        for source in sorted(set(present) - {expected}):
            yield forbidden(path.child(source), "must populate the given metric source only")


def _validate_source(source: str, fields: dict[str, Any], path: Path, tolerances: _Tolerances) -> Iterator[FieldError]:
    target, target_path = fields.get("target", {}), path.child("target")
    if source == "object":
        yield from _validate_reference(
            fields.get("describedObject", {}), path.child("describedObject"),
            core=True, any_version=tolerances.any_object_version,
        )  # fmt: skip
    if source in ("object", "external", "pods"):
        yield from _validate_metric_name(fields.get("metric", {}), path.child("metric"))
    elif not fields.get("name"):
        yield required(path.child("name"), "must specify a resource name")
    elif source == "containerResource":
        yield from validate_container_resource_name(fields["name"], path.child("name"))
    if source == "containerResource":
        yield from _validate_container(fields.get("container", ""), path.child("container"))
    yield from _validate_target(target, target_path)
    yield from _validate_target_of_source(source, target, target_path)


def _validate_metric_name(metric: dict[str, Any], path: Path) -> Iterator[FieldError]:
    if not metric.get("name"):
        yield required(path.child("name"), "must specify a metric name")
    else:
        yield from required_name(metric["name"], path.child("name"), names.path_segment)


def _validate_container(name: str, path: Path) -> Iterator[FieldError]:
    if not name:
        yield required(path, "must specify a container")
    else:
        yield from required_name(name, path, names.dns_label)


def _validate_target(target: dict[str, Any], path: Path) -> Iterator[FieldError]:
    kind = target.get("type", "")
    if not kind:
        yield required(path.child("type"), "must specify a metric target type")
    if kind not in TARGET_TYPES:
        yield invalid(path.child("type"), kind, "must be either Utilization, Value, or AverageValue")
    for name in ("value", "averageValue"):
        if name in target:
            yield from positive_quantity(target[name], path.child(name), "must be positive")
    if target.get("averageUtilization", 1) < 1:
        yield invalid(path.child("averageUtilization"), target["averageUtilization"], "must be greater than 0")


def _validate_target_of_source(source: str, target: dict[str, Any], path: Path) -> Iterator[FieldError]:
    value, average, share = (name in target for name in ("value", "averageValue", "averageUtilization"))
    if source in ("resource", "containerResource"):
        if not share and not average:
            either = "must set either a target raw value or a target utilization"
            yield required(path.child("averageUtilization"), either)
        if share and average:
            both = "may not set both a target raw value and a target utilization"
            yield forbidden(path.child("averageValue"), both)
    elif source == "pods":
        if not average:
            yield required(path.child("averageValue"), "must specify a positive target averageValue")
    elif not value and not average:
        one_of_two = {
            "object": "must set either a target value or averageValue",
            "external": "must set either a target value for metric or a per-pod target",
        }
        yield required(path.child("averageValue"), one_of_two[source])
    elif source == "external" and value and average:
        yield forbidden(path.child("value"), "may not set both a target value for metric and a per-pod target")


def _validate_scaling(rules: dict[str, Any], path: Path) -> Iterator[FieldError]:
    window = rules.get("stabilizationWindowSeconds", 0)
    if window < 0:
        yield invalid(path.child("stabilizationWindowSeconds"), window, "must be greater than or equal to zero")
    if window > MAX_STABILIZATION_SECONDS:
        limit = f"must be less than or equal to {MAX_STABILIZATION_SECONDS}"
        yield invalid(path.child("stabilizationWindowSeconds"), window, limit)
    if "selectPolicy" in rules:
        yield from one_of(rules["selectPolicy"], path.child("selectPolicy"), SELECT_POLICIES)
    if not rules.get("policies"):
        yield required(path.child("policies"), "must specify at least one Policy")
    for index, policy in enumerate(rules.get("policies", ())):
        yield from _validate_policy(policy, path.child("policies").index(index))
    if "tolerance" in rules:
        yield from not_negative_quantity(rules["tolerance"], path.child("tolerance"))


def _validate_policy(policy: dict[str, Any], path: Path) -> Iterator[FieldError]:
    yield from one_of(policy.get("type", ""), path.child("type"), POLICY_TYPES)
    for name in ("value", "periodSeconds"):
        if policy.get(name, 0) <= 0:
            yield invalid(path.child(name), policy.get(name, 0), "must be greater than zero")
    if policy.get("periodSeconds", 0) > MAX_PERIOD_SECONDS:
        limit = f"must be less than or equal to {MAX_PERIOD_SECONDS}"
        yield invalid(path.child("periodSeconds"), policy["periodSeconds"], limit)
