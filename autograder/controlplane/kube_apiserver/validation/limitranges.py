"""The rules for LimitRanges (pkg/apis/core/validation, ValidateLimitRange)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.field import FieldError, Path, duplicate, forbidden, invalid, required
from autograder.controlplane.apimachinery.quantity import Quantity
from autograder.controlplane.kube_apiserver.validation.meta import label_name, validate_metadata
from autograder.controlplane.kube_apiserver.validation.resource_names import (
    may_be_overcommitted,
    validate_container_resource_name,
    validate_resource_name,
)

LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
PARTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
WORDS = {"min": "min", "max": "max", "default": "default", "defaultRequest": "default request"}
#: (the smaller part, the larger part, where the error stands, the part whose amount it shows)
ORDERINGS = (
    ("min", "max", "min", "min"),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest"),
    ("min", "default", "default", "min"),
    ("default", "max", "default", "max"),
)
MAX_MILLI_VALUE = (2**63 - 1) // 1000

Amounts = dict[str, Quantity]


def validate_limit_range(limit_range: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a LimitRange."""
    limits = limit_range.get("spec", {}).get("limits") or []
    return [*validate_metadata(limit_range["metadata"], namespaced=True), *_validate_limits(limits)]


def validate_limit_range_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the changed LimitRange; any field may change."""
    return validate_limit_range(new)


def _validate_limits(limits: list[dict[str, Any]]) -> Iterator[FieldError]:
    seen = set()
    for index, limit in enumerate(limits):
        path, kind = Path("spec").child("limits").index(index), limit.get("type", "")
        yield from _validate_type(kind, path.child("type"))
        if kind in seen:
            yield duplicate(path.child("type"), kind)
        seen.add(kind)
        yield from _validate_names(limit, path)
        by_resource = _by_resource(limit)
        for name in sorted(by_resource):
            yield from _validate_amounts(name, by_resource[name], path)


def _validate_type(kind: str, path: Path) -> Iterator[FieldError]:
    errors = list(label_name(kind, path))
    yield from errors
    if not errors and "/" not in kind and kind not in LIMIT_TYPES:
        yield invalid(path, kind, "must be a standard limit type or fully qualified")


def _validate_names(limit: dict[str, Any], path: Path) -> Iterator[FieldError]:
    kind = limit.get("type", "")
    rule = validate_container_resource_name if kind in ("Pod", "Container") else validate_resource_name
    for part in PARTS:
        if kind == "Pod" and part.startswith("default"):
            if limit.get(part):
                yield forbidden(path.child(part), "may not be specified when `type` is 'Pod'")
            continue
        if part == "maxLimitRequestRatio":
            yield from _validate_storage_limited(limit, path)
        for name in sorted(limit.get(part, {})):
            yield from rule(name, path.child(part).key(name))


def _validate_storage_limited(limit: dict[str, Any], path: Path) -> Iterator[FieldError]:
    limited = any("storage" in limit.get(part, {}) for part in ("min", "max"))
    if limit.get("type") == "PersistentVolumeClaim" and not limited:
        either = "either minimum or maximum storage value is required, but neither was provided"
        yield required(path.child("limits"), either)


def _by_resource(limit: dict[str, Any]) -> dict[str, Amounts]:
    """The amounts of each resource, by the part of the limit that gives them."""
    resources: dict[str, Amounts] = {}
    for part in PARTS:
        if limit.get("type") == "Pod" and part.startswith("default"):
            continue
        for name, amount in limit.get(part, {}).items():
            resources.setdefault(name, {})[part] = quantity.parse(amount)
    return resources


def _validate_amounts(name: str, amounts: Amounts, path: Path) -> Iterator[FieldError]:
    for smaller, larger, where, shown in ORDERINGS:
        if smaller in amounts and larger in amounts and amounts[smaller] > amounts[larger]:
            bound = "default limit" if (smaller, larger) == ("defaultRequest", "default") else WORDS[larger]
            message = f"{WORDS[smaller]} value {amounts[smaller]} is greater than {bound} value {amounts[larger]}"
            yield invalid(path.child(where).key(name), str(amounts[shown]), message)
    yield from _validate_ratio(name, amounts, path)
    limit, request = amounts.get("default"), amounts.get("defaultRequest")
    if limit is not None and request is not None and not may_be_overcommitted(name) and limit != request:
        message = f"default value {limit} must equal to defaultRequest value {request} in {name}"
        yield invalid(path.child("defaultRequest").key(name), str(request), message)


def _validate_ratio(name: str, amounts: Amounts, path: Path) -> Iterator[FieldError]:
    ratio = amounts.get("maxLimitRequestRatio")
    if ratio is None:
        return
    here = path.child("maxLimitRequestRatio").key(name)
    if ratio < quantity.parse("1"):
        yield invalid(here, str(ratio), f"ratio {ratio} is less than 1")
    if "min" in amounts and "max" in amounts:
        given, possible = _ratios(ratio, amounts["min"], amounts["max"])
        if given > possible:
            yield invalid(here, str(ratio), f"ratio {ratio} is greater than max/min = {possible:f}")


def _ratios(ratio: Quantity, least: Quantity, most: Quantity) -> tuple[float, float]:
    """The ratio asked for and the one that the limits allow, with milli-units where the amounts are small enough."""
    if all(amount.value < MAX_MILLI_VALUE for amount in (ratio, least, most)):
        given, low, high = ratio.milli_value / 1000, least.milli_value, most.milli_value
    else:
        given, low, high = float(ratio.value), least.value, most.value
    if low == 0:
        return given, float("inf") if high > 0 else float("-inf") if high < 0 else float("nan")
    return given, high / low
