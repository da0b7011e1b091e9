"""Rules for where a pod may run: node selectors, affinity, tolerations, spreading over topologies.

Source: pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.meta import invalid, label_name, label_selector
from autograder.controlplane.kube_apiserver.validation.rules import one_of

Object = Mapping[str, Any]

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
TAINT_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
SPREAD_ACTIONS: Final = ("DoNotSchedule", "ScheduleAnyway")
NODE_POLICIES: Final = ("Honor", "Ignore")
NOT_AN_OPERATOR: Final = "not a valid selector operator"
NOT_POSITIVE: Final = "must be greater than zero"
WEIGHT_RANGE: Final = "must be in the range 1-100"
NEEDS_SELECTOR: Final = "must not be specified when labelSelector is not set"


# ---------------------------------------------------------------- node selectors


def validate_node_selector(selector: Object, path: Path) -> Iterator[FieldError]:
    """Terms of which a node must fit one."""
    terms = selector["nodeSelectorTerms"]
    at = path.child("nodeSelectorTerms")
    if not terms:
        yield field.required(at, "must have at least one node selector term")
    for position, term in enumerate(terms or ()):
        yield from _node_selector_term(term, at.index(position), check_values=True)


def _node_selector_term(term: Object, path: Path, *, check_values: bool) -> Iterator[FieldError]:
    for position, requirement in enumerate(term.get("matchExpressions", ())):
        yield from _node_expression(requirement, path.child("matchExpressions").index(position), check_values)
    for position, requirement in enumerate(term.get("matchFields", ())):
        yield from _node_field(requirement, path.child("matchFields").index(position))


def _node_expression(requirement: Object, path: Path, check_values: bool) -> Iterator[FieldError]:
    operator, values = requirement["operator"], requirement.get("values", [])
    at = path.child("values")
    if operator in ("In", "NotIn"):
        if not values:
            yield field.required(at, "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield field.forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            yield field.required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'")
    else:
        yield field.invalid(path.child("operator"), operator, NOT_AN_OPERATOR)
    yield from label_name(requirement["key"], path.child("key"))
    if check_values:
        for position, value in enumerate(values):
            yield from invalid(at.index(position), value, names.label_value(value))


def _node_field(requirement: Object, path: Path) -> Iterator[FieldError]:
    operator, key, values = requirement["operator"], requirement["key"], requirement.get("values", [])
    if operator not in ("In", "NotIn"):
        yield field.invalid(path.child("operator"), operator, NOT_AN_OPERATOR)
    elif len(values) != 1:
        why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield field.required(path.child("values"), why)
    if key != "metadata.name":
        yield field.invalid(path.child("key"), key, "not a valid field selector key")
        return
    for position, value in enumerate(values):
        yield from invalid(path.child("values").index(position), value, names.dns_subdomain(value))


# ---------------------------------------------------------------- affinity


def validate_affinity(affinity: Object, path: Path) -> Iterator[FieldError]:
    """Nodes and pods that a pod wants near, or far."""
    if "nodeAffinity" in affinity:
        yield from _node_affinity(affinity["nodeAffinity"], path.child("nodeAffinity"))
    for name in ("podAffinity", "podAntiAffinity"):
        if name in affinity:
            yield from _pod_affinity(affinity[name], path.child(name))


def _node_affinity(affinity: Object, path: Path) -> Iterator[FieldError]:
    if REQUIRED in affinity:
        yield from validate_node_selector(affinity[REQUIRED], path.child(REQUIRED))
    for position, term in enumerate(affinity.get(PREFERRED, ())):
        at = path.child(PREFERRED).index(position)
        yield from _weight(term["weight"], at.child("weight"))
        yield from _node_selector_term(term["preference"], at.child("preference"), check_values=False)


def _pod_affinity(affinity: Object, path: Path) -> Iterator[FieldError]:
    for position, term in enumerate(affinity.get(REQUIRED, ())):
        yield from _pod_affinity_term(term, path.child(REQUIRED).index(position))
    for position, weighted in enumerate(affinity.get(PREFERRED, ())):
        at = path.child(PREFERRED).index(position)
        yield from _weight(weighted["weight"], at.child("weight"))
        yield from _pod_affinity_term(weighted["podAffinityTerm"], at.child("podAffinityTerm"))


def _pod_affinity_term(term: Object, path: Path) -> Iterator[FieldError]:
    for name in ("labelSelector", "namespaceSelector"):
        yield from label_selector(term.get(name), path.child(name))
    for namespace in term.get("namespaces", ()):
        yield from invalid(path.child("namespace"), namespace, names.dns_label(namespace))
    yield from _label_keys(term, path)
    key = term["topologyKey"]
    if not key:
        yield field.required(path.child("topologyKey"), "can not be empty")
    yield from label_name(key, path.child("topologyKey"))


def _weight(weight: int, path: Path) -> Iterator[FieldError]:
    if not 1 <= weight <= 100:
        yield field.invalid(path, weight, WEIGHT_RANGE)


def _label_keys(term: Object, path: Path) -> Iterator[FieldError]:
    """Keys whose values are taken from the pod itself."""
    matched, mismatched = term.get("matchLabelKeys", []), term.get("mismatchLabelKeys", [])
    selector = term.get("labelSelector")
    for name, keys in (("matchLabelKeys", matched), ("mismatchLabelKeys", mismatched)):
        if keys and selector is None:
            yield field.forbidden(path.child(name), NEEDS_SELECTOR)
        elif keys:
            for position, key in enumerate(keys):
                yield from label_name(key, path.child(name).index(position))
    selected = set((selector or {}).get("matchLabels", ()))
    for requirement in (selector or {}).get("matchExpressions", ()):
        key = requirement["key"]
        if key in matched and key in selected:
            last = len(matched) - 1 - matched[::-1].index(key)
            yield field.invalid(path.index(last), key, "exists in both matchLabelKeys and labelSelector")
        selected.add(key)
    for position, key in enumerate(matched):
        if key in mismatched:
            why = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield field.invalid(path.child("matchLabelKeys").index(position), key, why)


# ---------------------------------------------------------------- tolerations


def validate_tolerations(tolerations: list[Object], path: Path) -> Iterator[FieldError]:
    """Taints that a pod puts up with."""
    for position, toleration in enumerate(tolerations):
        at = path.index(position)
        key, operator, value = toleration.get("key", ""), toleration.get("operator", ""), toleration.get("value", "")
        effect = toleration.get("effect", "")
        if key:
            yield from label_name(key, at.child("key"))
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield field.invalid(at.child("operator"), operator, why)
        if "tolerationSeconds" in toleration and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield field.invalid(at.child("effect"), effect, why)
        if operator in ("Equal", ""):
            if wrong := names.label_value(value):
                yield field.invalid(at.child("operator"), value, ";".join(wrong))
        elif operator == "Exists":
            if value:
                yield field.invalid(at.child("operator"), value, "value must be empty when `operator` is 'Exists'")
        else:
            supported = ("Equal", "Exists", "Lt", "Gt") if operator in ("Lt", "Gt") else ("Equal", "Exists")
            yield field.not_supported(at.child("operator"), operator, supported)
        if effect:
            yield from one_of(effect, at.child("effect"), TAINT_EFFECTS)


# ---------------------------------------------------------------- spreading


def validate_spread_constraints(constraints: list[Object], path: Path) -> Iterator[FieldError]:
    """How evenly the pods of a selector lie over zones, nodes or other topologies."""
    for position, constraint in enumerate(constraints):
        at = path.index(position)
        skew, key, action = constraint["maxSkew"], constraint["topologyKey"], constraint["whenUnsatisfiable"]
        if skew <= 0:
            yield field.invalid(at.child("maxSkew"), skew, NOT_POSITIVE)
        if not key:
            yield field.required(at.child("topologyKey"), "can not be empty")
        yield from one_of(action, at.child("whenUnsatisfiable"), SPREAD_ACTIONS)
        if any((key, action) == (one["topologyKey"], one["whenUnsatisfiable"]) for one in constraints[position + 1 :]):
            yield field.duplicate(at.child("{topologyKey, whenUnsatisfiable}"), f"{{{key}, {action}}}")
        yield from _min_domains(constraint.get("minDomains"), action, at.child("minDomains"))
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if name in constraint:
                yield from one_of(constraint[name], at.child(name), NODE_POLICIES)
        yield from _label_keys(constraint, at)
        yield from label_selector(constraint.get("labelSelector"), at.child("labelSelector"))


def _min_domains(count: int | None, action: str, path: Path) -> Iterator[FieldError]:
    if count is None:
        return
    if count <= 0:
        yield field.invalid(path, count, NOT_POSITIVE)
    if action != "DoNotSchedule":
        why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        yield field.invalid(path, count, why)
