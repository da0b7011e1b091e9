"""The rules for ResourceQuotas (pkg/apis/core/validation, ValidateResourceQuota)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.emptied import as_given
from autograder.controlplane.apimachinery.field import FieldError, Path, invalid, required
from autograder.controlplane.kube_apiserver.validation.meta import validate_metadata, validate_metadata_update
from autograder.controlplane.kube_apiserver.validation.resource_names import (
    is_standard_quota_resource,
    validate_quota_resource_name,
    validate_resource_amount,
)

COMPUTE_RESOURCES = {"cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"}
POD_RESOURCES = COMPUTE_RESOURCES | {"pods"}
#: The standard resources that a quota with this scope can limit.
RESOURCES_OF_SCOPE: dict[str, set[str]] = {
    "Terminating": POD_RESOURCES,
    "NotTerminating": POD_RESOURCES,
    "BestEffort": {"pods"},
    "NotBestEffort": POD_RESOURCES,
    "PriorityClass": POD_RESOURCES,
    "CrossNamespacePodAffinity": POD_RESOURCES,
    "VolumeAttributesClass": {"persistentvolumeclaims", "requests.storage"},
}
#: The scopes that a pod has or has not; there are no values to select by.
SCOPES_WITHOUT_VALUES = {
    "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "CrossNamespacePodAffinity"
}  # fmt: skip
OPPOSITE_SCOPES = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})


def validate_resource_quota(quota: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new ResourceQuota."""
    return [
        *validate_metadata(quota["metadata"], namespaced=True),
        *_validate_spec(quota.get("spec", {})),
        *_validate_status(quota),
    ]


def validate_resource_quota_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; the scopes stay."""
    spec = new.get("spec", {})
    errors = [*validate_metadata_update(new["metadata"], old["metadata"]), *_validate_spec(spec)]
    scopes = spec.get("scopes")
    if set(scopes or ()) != set(old.get("spec", {}).get("scopes", ())):
        errors.append(invalid(Path("spec").child("scopes"), as_given(spec, "scopes"), "field is immutable"))
    return errors


def validate_resource_quota_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with new figures of what is used."""
    return [*validate_metadata_update(new["metadata"], old["metadata"]), *_validate_status(new)]


def _validate_amounts(amounts: dict[str, str], path: Path) -> Iterator[FieldError]:
    for name, amount in sorted(amounts.items()):
        yield from validate_quota_resource_name(name, path.key(name))
        yield from validate_resource_amount(name, amount, path.key(name))


def _validate_status(quota: dict[str, Any]) -> Iterator[FieldError]:
    for part in ("hard", "used"):
        yield from _validate_amounts(quota.get("status", {}).get(part, {}), Path("status").child(part))


def _validate_spec(spec: dict[str, Any]) -> Iterator[FieldError]:
    yield from _validate_amounts(spec.get("hard", {}), Path("spec").child("hard"))
    yield from _validate_scopes(spec)
    yield from _validate_scope_selector(spec)


def _validate_scopes(spec: dict[str, Any]) -> Iterator[FieldError]:
    path, scopes = Path("spec").child("scopes"), spec.get("scopes", [])
    for scope in scopes:
        if scope not in RESOURCES_OF_SCOPE:
            yield invalid(path, scopes, "unsupported scope")
        for _ in _resources_out_of_scope(spec, scope):
            yield invalid(path, scopes, "unsupported scope applied to resource")
    yield from _validate_no_conflict(set(scopes), path, spec)


def _validate_scope_selector(spec: dict[str, Any]) -> Iterator[FieldError]:
    path = Path("spec").child("scopeSelector").child("matchExpressions")
    selector = spec.get("scopeSelector", {})
    requirements = selector.get("matchExpressions", [])
    for requirement in requirements:
        scope, operator = requirement.get("scopeName", ""), requirement.get("operator", "")
        if scope not in RESOURCES_OF_SCOPE:
            yield invalid(path.child("scopeName"), scope, "unsupported scope")
        for _ in _resources_out_of_scope(spec, scope):
            yield invalid(path, _internal_selector(requirements), "unsupported scope applied to resource")
        if scope in SCOPES_WITHOUT_VALUES and operator != "Exists":
            yield invalid(
                path.child("operator"), operator,
                "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating,"
                " ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or"
                " ResourceQuotaScopeCrossNamespacePodAffinity",
            )  # fmt: skip
        yield from _validate_operator(operator, requirement.get("values", []), path)
    yield from _validate_no_conflict({one.get("scopeName") for one in requirements}, path, spec)


def _validate_operator(operator: str, values: list[str], path: Path) -> Iterator[FieldError]:
    if operator in ("In", "NotIn"):
        if not values:
            one = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            yield required(path.child("values"), one)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            none = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            yield invalid(path.child("values"), values, none)
    else:
        yield invalid(path.child("operator"), operator, "not a valid selector operator")


def _validate_no_conflict(scopes: set[str], path: Path, spec: dict[str, Any]) -> Iterator[FieldError]:
    for pair in OPPOSITE_SCOPES:
        if pair <= scopes:
            yield invalid(path, spec.get("scopes"), "conflicting scopes")


def _resources_out_of_scope(spec: dict[str, Any], scope: str) -> list[str]:
    """The resources of the quota that cannot be counted for objects of the scope alone."""
    if scope not in RESOURCES_OF_SCOPE:
        return []
    standard = filter(is_standard_quota_resource, spec.get("hard", {}))
    return sorted(name for name in standard if name not in RESOURCES_OF_SCOPE[scope])


def _internal_selector(requirements: list[dict[str, Any]]) -> dict[str, Any]:
    """A scope selector as the server's internal type prints it."""
    return {
        "MatchExpressions": [
            {"ScopeName": one.get("scopeName", ""), "Operator": one.get("operator", ""), "Values": one.get("values")}
            for one in requirements
        ]
    }
