"""Rules for the resources that containers and pods request, and for claims on devices.

Source: validateResourceRequirements in pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field, quantity
from autograder.controlplane.apimachinery.field import ErrorType, FieldError, Path
from autograder.controlplane.apimachinery.resources import HUGE_PAGES, aggregate_containers, is_pod_level
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import invalid
from autograder.controlplane.kube_apiserver.validation.resource_names import (
    is_huge_pages,
    may_be_overcommitted,
    validate_container_resource_name,
    validate_resource_amount,
    validate_resource_name,
)

Object = Mapping[str, Any]
NameRule = Callable[[str, Path], Iterator[FieldError]]

BASIC: Final = ("cpu", "memory")
OF_PODS: Final = ("cpu", HUGE_PAGES, "memory")
NO_SIZE: Final = quantity.parse("0")
NEEDS_LIMIT: Final = "Limit must be set for non overcommitable resources"


def validate_container_resources(requirements: Object, claims: list[str], path: Path) -> Iterator[FieldError]:
    """Limits, requests and claims of a container; ``claims`` are the names of those of the pod."""
    yield from _requirements(requirements, validate_container_resource_name, path)
    yield from _claims(requirements.get("claims", []), claims, path.child("claims"))


def validate_pod_resources(spec: Object, path: Path) -> Iterator[FieldError]:
    """Limits and requests of a pod as a whole, which must cover what its containers say."""
    requirements = spec.get("resources")
    if requirements is None:
        return
    if spec.get("os", {}).get("name") == "windows":
        yield field.forbidden(path, "may not be set for a windows pod")
        return
    if "claims" in requirements:
        yield field.forbidden(path.child("claims"), "claims may not be set for Resources at pod-level")
    yield from _requirements(requirements, _pod_resource_name, path)
    yield from _claims(requirements.get("claims", []), [], path.child("claims"))
    limits, requests = requirements.get("limits", {}), requirements.get("requests", {})
    for name, total in aggregate_containers(spec, "requests").items():
        if name in requests and total > quantity.parse(requests[name]):
            why = f"must be greater than or equal to aggregate container requests of {total}"
            yield field.invalid(path.child("requests").key(name), requests[name], why)
    for name, total in aggregate_containers(spec, "limits").items():
        if is_huge_pages(name) and name in limits and total > quantity.parse(limits[name]):
            why = f"must be greater than or equal to aggregate container limits of {total}"
            yield field.invalid(path.child("limits").key(name), limits[name], why)
    for position, container in enumerate(spec.get("containers") or ()):
        for name, limit in container["resources"].get("limits", {}).items():
            if name in limits and quantity.parse(limit) > quantity.parse(limits[name]):
                at = path.child("containers").index(position).key(name).child("limits")
                yield field.invalid(at, limit, f"must be less than or equal to pod limits of {limits[name]}")


def validate_overhead(overhead: Mapping[str, str], path: Path) -> Iterator[FieldError]:
    """What running the pod costs beyond its containers."""
    yield from _requirements({"limits": overhead}, validate_container_resource_name, path)


def _pod_resource_name(name: str, path: Path) -> Iterator[FieldError]:
    errors = list(validate_resource_name(name, path))
    yield from errors
    if not errors and not is_pod_level(name):
        yield field.not_supported(path, name, OF_PODS)


def _requirements(requirements: Object, check_name: NameRule, path: Path) -> Iterator[FieldError]:
    limits, requests = requirements.get("limits", {}), requirements.get("requests", {})
    for name, amount in limits.items():
        at = path.child("limits").key(name)
        yield from check_name(name, at)
        yield from validate_resource_amount(name, amount, at)
        yield from _huge_pages(name, amount, at)
    for name, amount in requests.items():
        at = path.child("requests").key(name)
        yield from check_name(name, at)
        yield from validate_resource_amount(name, amount, at)
        limit = limits.get(name)
        if limit is not None:
            order = quantity.parse(amount).compare(quantity.parse(limit))
            if order and not may_be_overcommitted(name):
                yield field.invalid(path.child("requests"), amount, f"must be equal to {name} limit of {limit}")
            elif order > 0:
                why = f"must be less than or equal to {name} limit of {limit}"
                yield field.invalid(path.child("requests"), amount, why)
        elif not may_be_overcommitted(name):
            yield field.required(path.child("limits"), NEEDS_LIMIT)
        yield from _huge_pages(name, amount, at)
    given = {*limits, *requests}
    if given.isdisjoint(BASIC) and any(is_huge_pages(name) for name in given):
        yield field.forbidden(path, "HugePages require cpu or memory")


def _huge_pages(name: str, amount: str, path: Path) -> Iterator[FieldError]:
    """Huge pages come whole."""
    if not is_huge_pages(name):
        return
    try:
        size = quantity.parse(name.removeprefix(HUGE_PAGES))
    except quantity.QuantityError:
        size = NO_SIZE
    if size <= NO_SIZE or size.milli_value % 1000 or quantity.parse(amount).value % size.value:
        yield field.invalid(path, amount, f"{amount} is not positive integer multiple of {name}")


def _claims(claims: list[Object], of_pod: list[str], path: Path) -> Iterator[FieldError]:
    seen: set[str] = set()
    for position, claim in enumerate(claims):
        at, name, request = path.index(position), claim["name"], claim.get("request", "")
        if not name:
            yield field.required(at)
            continue
        if name in seen:
            yield field.duplicate(at, name)
        else:
            key = f"{name}/{request}" if request else name
            if request:
                yield from invalid(at.child("request"), request, names.dns_label(request))
            if key in seen:
                yield field.duplicate(at, key)
            elif not request:
                yield from (field.duplicate(at, name) for one in seen if one.startswith(f"{name}/"))
            seen.add(key)
        if name not in of_pod:
            listed = f": {', '.join(of_pod)}" if of_pod else " which is empty"
            why = f"must be one of the names in pod.spec.resourceClaims{listed}"
            yield FieldError(ErrorType.NOT_FOUND, str(at), name, why)
