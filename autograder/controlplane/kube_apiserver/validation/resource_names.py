"""Names of resources: which stand alone (``cpu``), which need a domain (``example.com/gpu``), where each may be used.

Source: pkg/apis/core/helper and the rules for resource names in pkg/apis/core/validation.
"""

from __future__ import annotations

from collections.abc import Iterator

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.field import FieldError, Path, invalid
from autograder.controlplane.apimachinery.resources import HUGE_PAGES
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import label_name
from autograder.controlplane.kube_apiserver.validation.rules import not_negative_quantity

#: Resources of which there is a whole number.
INTEGER_RESOURCES = frozenset({
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
    "services.nodeports", "services.loadbalancers",
})  # fmt: skip
CONTAINER_RESOURCES = frozenset({"cpu", "memory", "ephemeral-storage"})
QUOTA_RESOURCES = (
    INTEGER_RESOURCES
    | CONTAINER_RESOURCES
    | {f"{prefix}.{name}" for prefix in ("requests", "limits") for name in CONTAINER_RESOURCES}
    | {"requests.storage"}
)
STANDARD_RESOURCES = QUOTA_RESOURCES | {"storage"}


def is_huge_pages(name: str) -> bool:
    """Whether the name is that of huge pages of one size, such as ``hugepages-2Mi``."""
    return name.startswith(HUGE_PAGES)


def is_standard_quota_resource(name: str) -> bool:
    """Whether a quota can limit the resource under this name without a domain."""
    return name in QUOTA_RESOURCES or name.startswith(("hugepages-", "requests.hugepages-"))


def is_standard_resource(name: str) -> bool:
    """Whether Kubernetes itself gives this name a meaning."""
    return name in STANDARD_RESOURCES or is_standard_quota_resource(name)


def is_native(name: str) -> bool:
    """Whether the name has no domain, or that of Kubernetes."""
    return "/" not in name or "kubernetes.io/" in name


def is_extended(name: str) -> bool:
    """Whether somebody else than Kubernetes defines the resource, and it fits into a quota."""
    return not (is_native(name) or name.startswith("requests.") or names.label_key(f"requests.{name}"))


def may_be_overcommitted(name: str) -> bool:
    """Whether a container may be promised less of the resource than it may use."""
    return is_native(name) and not is_huge_pages(name)


def validate_resource_name(name: str, path: Path) -> Iterator[FieldError]:
    """A resource that may be counted anywhere."""
    errors = list(label_name(name, path))
    yield from errors
    if not errors and "/" not in name and not is_standard_resource(name):
        yield invalid(path, name, "must be a standard resource type or fully qualified")


def validate_container_resource_name(name: str, path: Path) -> Iterator[FieldError]:
    """A resource that a container may request."""
    yield from validate_resource_name(name, path)
    if "/" not in name:
        if name not in CONTAINER_RESOURCES and not is_huge_pages(name):
            yield invalid(path, name, "must be a standard resource for containers")
    elif not is_native(name) and not is_extended(name):
        yield invalid(path, name, "doesn't follow extended resource name standard")


def validate_quota_resource_name(name: str, path: Path) -> Iterator[FieldError]:
    """A resource that a quota may limit."""
    yield from validate_resource_name(name, path)
    if "/" not in name and not is_standard_quota_resource(name):
        yield invalid(path, name, "must be a standard resource for quota")


def validate_resource_amount(name: str, amount: str, path: Path) -> Iterator[FieldError]:
    """An amount of one resource: not negative, and whole where only whole ones exist."""
    yield from not_negative_quantity(amount, path)
    counted = name in INTEGER_RESOURCES or is_extended(name)
    if counted and quantity.parse(amount).milli_value % 1000:
        yield invalid(path, amount, "must be an integer")
