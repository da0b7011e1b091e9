"""The rules for Leases (pkg/apis/coordination/validation)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery.field import FieldError, Path, forbidden, invalid
from autograder.controlplane.kube_apiserver.validation.meta import (
    label_name,
    not_negative,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.rules import one_of

STRATEGIES = ("OldestEmulationVersion",)


def validate_lease(lease: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new Lease."""
    return [*validate_metadata(lease["metadata"], namespaced=True), *_validate_spec(lease.get("spec", {}))]


def validate_lease_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``."""
    return [*validate_metadata_update(new["metadata"], old["metadata"]), *_validate_spec(new.get("spec", {}))]


def _validate_spec(spec: dict[str, Any]) -> Iterator[FieldError]:
    path = Path("spec")
    if spec.get("leaseDurationSeconds", 1) <= 0:
        yield invalid(path.child("leaseDurationSeconds"), spec["leaseDurationSeconds"], "must be greater than 0")
    yield from not_negative(spec.get("leaseTransitions", 0), path.child("leaseTransitions"))
    strategy = spec.get("strategy")
    if strategy is not None:
        here = path.child("strategy").child("strategy")
        yield from label_name(strategy, here) if "/" in strategy else one_of(strategy, here, STRATEGIES)
    if spec.get("preferredHolder") and not strategy:
        yield forbidden(path.child("preferredHolder"), "may only be specified if `strategy` is defined")
