"""What controllers ask of nodes: their conditions and taints, and whether a pod may be there.

Source: component-helpers/scheduling/corev1, pkg/controller/util/node.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from autograder.controlplane.apimachinery.selectors import LabelSelector, Requirement
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager.conditions import find

_OPERATORS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}


def ready_condition(node: Object) -> Object | None:
    """The condition Ready, or None."""
    return find(node.get("status", {}).get("conditions", ()), "Ready")


def is_ready(node: Object) -> bool:
    """Whether the condition Ready is True."""
    found = ready_condition(node)
    return found is not None and found["status"] == "True"


def taints_of(node: Object) -> list[Object]:
    """The taints; not to be changed."""
    taints: list[Object] = node["spec"].get("taints", [])
    return taints


def has_taint(node: Object, key: str, effect: str = "") -> bool:
    """Whether the node has a taint of this key (and effect, if one is given)."""
    return any(one["key"] == key and effect in ("", one["effect"]) for one in taints_of(node))


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether one toleration covers one taint."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    return operator == "Exists" or (operator == "Equal" and toleration.get("value", "") == taint.get("value", ""))


def tolerated(tolerations: Iterable[Object], taint: Object) -> bool:
    """Whether any toleration covers the taint."""
    return any(tolerates(one, taint) for one in tolerations)


def required_affinity(spec: Object) -> Object | None:
    """The node selector that a pod's node affinity requires, or None."""
    affinity = spec.get("affinity", {}).get("nodeAffinity", {})
    found: Object | None = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return found


def matches_affinity(spec: Object, node: Object) -> bool:
    """Whether a pod's ``nodeSelector`` and required node affinity let it be on the node."""
    labels = node["metadata"].get("labels", {})
    if any(labels.get(key) != value for key, value in spec.get("nodeSelector", {}).items()):
        return False
    required = required_affinity(spec)
    return required is None or any(_matches_term(term, node) for term in required.get("nodeSelectorTerms", ()))


def _matches_term(term: Object, node: Object) -> bool:
    """One alternative of a node selector; an empty one matches nothing."""
    by_labels, by_fields = term.get("matchExpressions", ()), term.get("matchFields", ())
    if not by_labels and not by_fields:
        return False
    meta = node["metadata"]
    labels_match = _selector(by_labels).matches(meta.get("labels", {}))
    return labels_match and _selector(by_fields).matches({"metadata.name": meta["name"]})


def _selector(expressions: Iterable[dict[str, Any]]) -> LabelSelector:
    return LabelSelector(tuple(map(_requirement, expressions)))


def _requirement(expression: dict[str, Any]) -> Requirement:
    operator = _OPERATORS[expression["operator"]]
    return Requirement(expression["key"], operator, frozenset(expression.get("values", ())))
