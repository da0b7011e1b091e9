"""Labels of nodes that are not to be used any more, and where pods and volumes select nodes by them.

Source: pkg/api/node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery.field import Path
from autograder.controlplane.kube_apiserver.validation import names

Object = Mapping[str, Any]

DEPRECATED_LABELS: Final = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}


def of_labels(labels: Mapping[str, str], path: Path) -> Iterator[str]:
    """What is said of labels that select nodes."""
    for key in labels:
        if key in DEPRECATED_LABELS:
            yield f"{path.key(key)}: {DEPRECATED_LABELS[key]}"


def of_term(term: Object, path: Path, *, check_values: bool = False) -> Iterator[str]:
    """What is said of a node selector term; ``check_values`` where validation has left its values alone."""
    for position, expression in enumerate(term.get("matchExpressions") or ()):
        here = path.child("matchExpressions").index(position)
        key = expression["key"]
        if key in DEPRECATED_LABELS:
            yield f"{here.child('key')}: {key} is {DEPRECATED_LABELS[key]}"
        if check_values:
            for place, value in enumerate(expression.get("values") or ()):
                for why in names.label_value(value):
                    yield f"{here.child('values').index(place)}: {value} is invalid, {why}"
