"""Node selectors: which nodes a pod (``nodeSelector``, node affinity) or a volume may be on.

One reading for the scheduler, which places pods, and for the controllers, which ask whether a daemon belongs on a node.
Source: component-helpers/scheduling/corev1/nodeaffinity.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.selectors import Labels, LabelSelector, of_expressions
from autograder.controlplane.apimachinery.wire import Object

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


class Term(NamedTuple):
    """One alternative: conditions on labels and on fields (of which there is one, ``metadata.name``)."""

    labels: LabelSelector
    fields: LabelSelector

    def matches(self, name: str, labels: Labels) -> bool:
        """Whether a node of this name and these labels fulfils all of it; a term without conditions matches nothing."""
        if self.labels.empty and self.fields.empty:
            return False
        return self.labels.matches(labels) and self.fields.matches({"metadata.name": name})


class RequiredNodes(NamedTuple):
    """Where a pod may be: its ``nodeSelector`` and any of the terms of its node affinity (None: it has none)."""

    labels: tuple[tuple[str, str], ...]
    terms: tuple[Term, ...] | None

    def matches(self, name: str, labels: Labels) -> bool:
        """Whether a node of this name and these labels is one of these."""
        if any(labels.get(key) != value for key, value in self.labels):
            return False
        return self.terms is None or any(term.matches(name, labels) for term in self.terms)

    @property
    def anywhere(self) -> bool:
        """Whether nothing is asked."""
        return not self.labels and self.terms is None


def required(spec: Object) -> RequiredNodes:
    """Where a pod of this spec may be."""
    selector = tuple((spec.get("nodeSelector") or {}).items())
    affinity = node_affinity(spec).get(REQUIRED)
    return RequiredNodes(selector, None if affinity is None else terms(affinity))


def node_affinity(spec: Object) -> Object:
    """The node affinity of a pod's spec; empty if it has none."""
    found: Object = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    return found


def terms(selector: Object) -> tuple[Term, ...]:
    """The alternatives of a node selector."""
    return tuple(term(one) for one in selector.get("nodeSelectorTerms") or ())


def term(one: Object) -> Term:
    """One alternative of a node selector."""
    return Term(of_expressions(one.get("matchExpressions") or ()), of_expressions(one.get("matchFields") or ()))
