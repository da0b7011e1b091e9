"""The rules for Namespaces (pkg/apis/core/validation, ValidateNamespace)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, invalid
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import (
    label_name,
    standard_finalizer,
    validate_metadata,
    validate_metadata_update,
)


def validate_namespace(namespace: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new Namespace."""
    errors = [*validate_metadata(namespace["metadata"], namespaced=False, name=names.dns_label)]
    for finalizer in namespace.get("spec", {}).get("finalizers", ()):
        errors += _validate_finalizer(finalizer, Path("spec").child("finalizers"))
    return errors


def validate_namespace_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``."""
    return [*validate_namespace(new), *validate_metadata_update(new["metadata"], old["metadata"])]


def validate_namespace_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """The phase must say whether the Namespace is being deleted."""
    errors = [*validate_metadata_update(new["metadata"], old["metadata"])]
    phase, deleted = new.get("status", {}).get("phase", ""), "deletionTimestamp" in new["metadata"]
    if deleted and phase != "Terminating":
        only = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        errors.append(invalid(Path("status").child("Phase"), phase, only))
    if not deleted and phase != "Active":
        only = "may only be 'Active' if `deletionTimestamp` is empty"
        errors.append(invalid(Path("status").child("Phase"), phase, only))
    return errors


def validate_namespace_finalize_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with new finalizers in the spec."""
    errors = [*validate_metadata_update(new["metadata"], old["metadata"])]
    for index, finalizer in enumerate(new.get("spec", {}).get("finalizers", ())):
        errors += _validate_finalizer(finalizer, Path("spec").child("finalizers").index(index))
    return errors


def _validate_finalizer(name: str, path: Path) -> Iterator[FieldError]:
    yield from label_name(name, path)
    yield from standard_finalizer(name, path)
