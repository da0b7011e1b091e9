"""The rules for PodDisruptionBudgets (pkg/apis/policy/validation).

Names of these are not checked beyond what a URL path needs: the original never did, and must go on as it began.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery import intstr
from autograder.controlplane.apimachinery.field import FieldError, Path, invalid
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.conditions import validate_conditions
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed
from autograder.controlplane.kube_apiserver.validation.meta import label_selector, not_negative
from autograder.controlplane.kube_apiserver.validation.rules import one_of

EVICTION_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def validate_pod_disruption_budget(budget: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new PodDisruptionBudget."""
    return list(_validate_spec(budget.get("spec", {}), check_values=True))


def validate_pod_disruption_budget_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the changed budget; malformed label values that were there stay allowed."""
    old_selector = old.get("spec", {}).get("selector")
    malformed_before = any(label_selector(old_selector, Path("")))
    return list(_validate_spec(new.get("spec", {}), check_values=not malformed_before))


def validate_pod_disruption_budget_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with new conditions and counts of pods."""
    status, path = new.get("status", {}), Path("status")
    errors = list(validate_conditions(status.get("conditions") or [], path.child("conditions")))
    return errors + [error for name in COUNTS for error in not_negative(status.get(name, 0), path.child(name))]


def _validate_spec(spec: dict[str, Any], *, check_values: bool) -> Iterator[FieldError]:
    path = Path("spec")
    if "minAvailable" in spec and "maxUnavailable" in spec:
        yield invalid(path, _internal_spec(spec), "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        if name in spec:
            yield from _validate_share(spec[name], path.child(name))
    yield from label_selector(spec.get("selector"), path.child("selector"), check_values=check_values)
    if "unhealthyPodEvictionPolicy" in spec:
        policy = spec["unhealthyPodEvictionPolicy"]
        yield from one_of(policy, path.child("unhealthyPodEvictionPolicy"), EVICTION_POLICIES)


def _validate_share(value: int | str, path: Path) -> Iterator[FieldError]:
    """A number of pods or a percentage of them."""
    if isinstance(value, int):
        yield from not_negative(value, path)
    else:
        problems = names.percentage(value)
        yield from malformed(path, value, problems)
        if not problems and (intstr.percent(value) or 0) > 100:
            yield invalid(path, value, "must not be greater than 100%")


def _internal_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec as the server's internal type prints it."""
    return {
        "MinAvailable": spec.get("minAvailable"),
        "Selector": spec.get("selector"),
        "MaxUnavailable": spec.get("maxUnavailable"),
        "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
    }
