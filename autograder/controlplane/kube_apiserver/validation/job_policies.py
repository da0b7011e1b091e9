"""Rules for what the success and the failure of single pods mean for their Job.

Source: validatePodFailurePolicy and validateSuccessPolicy in pkg/apis/batch/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.emptied import as_given
from autograder.controlplane.apimachinery.field import OMITTED, FieldError, Path
from autograder.controlplane.apimachinery.types.unversioned import unversioned
from autograder.controlplane.kube_apiserver.validation.indexes import count_indexes
from autograder.controlplane.kube_apiserver.validation.meta import label_name
from autograder.controlplane.kube_apiserver.validation.rules import one_of
from autograder.controlplane.kube_apiserver.validation.workloads import counts

Object = Mapping[str, Any]

FAILURE_ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
EXIT_CODE_OPERATORS: Final = ("In", "NotIn")
CONDITION_STATUSES: Final = ("False", "True", "Unknown")
RULES_LIMIT: Final = 20
EXIT_CODES_LIMIT: Final = 255
INDEXES_LENGTH: Final = 64 * 1024


def failure_policy(spec: Object, path: Path) -> Iterator[FieldError]:
    """What the failure of a pod means for its Job; ``path`` is that of the rules."""
    rules = spec["podFailurePolicy"].get("rules") or []
    if len(rules) > RULES_LIMIT:
        yield field.too_many(path, len(rules), RULES_LIMIT)
    pod = spec["template"]["spec"]
    containers = {one["name"] for kind in ("containers", "initContainers") for one in pod.get(kind) or ()}
    for position, rule in enumerate(rules):
        at, action = path.index(position), rule["action"]
        yield from _listed_one_of(action, at.child("action"), FAILURE_ACTIONS)
        if action == "FailIndex" and "backoffLimitPerIndex" not in spec:
            yield field.invalid(at.child("action"), action, "requires the backoffLimitPerIndex to be set")
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions")
        if codes is not None:
            yield from _exit_codes(codes, containers, at.child("onExitCodes"))
        if conditions:
            yield from _conditions(conditions, at.child("onPodConditions"))
        if codes is not None and conditions:
            yield field.invalid(at, OMITTED, "specifying both OnExitCodes and OnPodConditions is not supported")
        if codes is None and not conditions:
            yield field.invalid(at, OMITTED, "specifying one of OnExitCodes and OnPodConditions is required")


def _exit_codes(codes: Object, containers: set[str], path: Path) -> Iterator[FieldError]:
    operator, values, container = codes["operator"], codes["values"] or [], codes.get("containerName")
    yield from _listed_one_of(operator, path.child("operator"), EXIT_CODE_OPERATORS)
    if container is not None and container not in containers:
        why = "must be one of the container or initContainer names in the pod template"
        yield field.invalid(path.child("containerName"), container, why)
    at = path.child("values")
    if not values:
        yield field.invalid(at, as_given(codes, "values"), "at least one value is required")
    elif len(values) > EXIT_CODES_LIMIT:
        yield field.too_many(at, len(values), EXIT_CODES_LIMIT)
    for position, value in enumerate(values):
        if operator == "In" and value == 0:
            yield field.invalid(at.index(position), value, "must not be 0 for the In operator")
        if value in values[:position]:
            yield field.duplicate(at.index(position), value)
    if values != sorted(values):
        yield field.invalid(at, values, "must be ordered")


def _conditions(conditions: list[Object], path: Path) -> Iterator[FieldError]:
    if len(conditions) > RULES_LIMIT:
        yield field.too_many(path, len(conditions), RULES_LIMIT)
    for position, condition in enumerate(conditions):
        at = path.index(position)
        yield from label_name(condition["type"], at.child("type"))
        yield from _listed_one_of(condition.get("status", ""), at.child("status"), CONDITION_STATUSES)


def _listed_one_of(value: str, path: Path, supported: tuple[str, ...]) -> Iterator[FieldError]:
    """A value of an enumeration that must be given; whoever leaves it out is told what there is."""
    if value:
        yield from one_of(value, path, supported)
    else:
        yield field.required(path, "valid values: [" + " ".join(map(field.quoted, supported)) + "]")


def success_policy(spec: Object, path: Path) -> Iterator[FieldError]:
    """When a Job is complete though not all of its indexes are."""
    rules = spec["successPolicy"].get("rules") or []
    if spec.get("completionMode") != "Indexed":
        yield field.invalid(
            path, unversioned(spec["successPolicy"], "batch.SuccessPolicy"), "requires indexed completion mode"
        )
        return
    if not rules:
        why = "at least one rules must be specified when the successPolicy is specified"
        yield field.required(path.child("rules"), why)
    if len(rules) > RULES_LIMIT:
        yield field.too_many(path.child("rules"), len(rules), RULES_LIMIT)
    for position, rule in enumerate(rules):
        yield from _success_rule(rule, spec.get("completions") or 0, path.child("rules").index(position))


def _success_rule(rule: Object, completions: int, path: Path) -> Iterator[FieldError]:
    indexes, count = rule.get("succeededIndexes"), rule.get("succeededCount")
    total = 0
    if indexes is None and count is None:
        yield field.required(path, "at least one of succeededCount or succeededIndexes must be specified")
    if indexes is not None:
        at = path.child("succeededIndexes")
        if len(indexes.encode()) > INDEXES_LENGTH:
            yield field.too_long(at, INDEXES_LENGTH)
        try:
            total = count_indexes(indexes, completions)
        except ValueError as error:
            yield field.invalid(at, indexes, f"error parsing succeededIndexes: {error}")
    if count is not None:
        at = path.child("succeededCount")
        yield from counts(rule, path, "succeededCount")
        if count > completions:
            why = f"must be less than or equal to {completions} (the number of specified completions)"
            yield field.invalid(at, count, why)
        if indexes is not None and count > total:
            why = (
                f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
            )
            yield field.invalid(at, count, why)
