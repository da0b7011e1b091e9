"""Node selectors: which nodes a pod (``nodeSelector``, node affinity) or a volume may be on."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.selectors import LabelSelector, Requirement
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.node_info import NodeFacts, PodInfo

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"

_OPERATORS: Final = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!", "Gt": "gt", "Lt": "lt"}

Expression = tuple[str, str, tuple[str, ...]]


class Term(NamedTuple):
    """One alternative: conditions on labels and on fields (of which there is one, ``metadata.name``)."""

    labels: LabelSelector
    fields: LabelSelector

    def matches(self, node: NodeFacts) -> bool:
        """Whether the node fulfils all of it; a term without conditions matches nothing."""
        if self.labels.empty and self.fields.empty:
            return False
        return self.labels.matches(node.labels) and self.fields.matches({"metadata.name": node.name})


class RequiredNodes(NamedTuple):
    """Where a pod may be: its ``nodeSelector`` and any of the terms of its node affinity (None: it has none)."""

    labels: tuple[tuple[str, str], ...]
    terms: tuple[Term, ...] | None

    def matches(self, node: NodeFacts) -> bool:
        """Whether a node is one of these."""
        if any(node.labels.get(key) != value for key, value in self.labels):
            return False
        return self.terms is None or any(term.matches(node) for term in self.terms)

    @property
    def anywhere(self) -> bool:
        """Whether nothing is asked."""
        return not self.labels and self.terms is None


def required(pod: PodInfo) -> RequiredNodes:
    """Where a pod may be."""
    spec = pod.spec
    selector = tuple((spec.get("nodeSelector") or {}).items())
    affinity = node_affinity(pod).get(REQUIRED)
    return RequiredNodes(selector, None if affinity is None else terms(affinity))


def node_affinity(pod: PodInfo) -> Object:
    """The pod's node affinity; empty if it has none."""
    found: Object = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
    return found


def terms(selector: Object) -> tuple[Term, ...]:
    """The alternatives of a node selector."""
    return tuple(term(one) for one in selector.get("nodeSelectorTerms") or ())


def term(one: Object) -> Term:
    """One alternative of a node selector."""
    return Term(_selector(one.get("matchExpressions") or ()), _selector(one.get("matchFields") or ()))


def _selector(expressions: list[Object] | tuple[()]) -> LabelSelector:
    return _of(tuple((one["key"], one["operator"], tuple(one.get("values") or ())) for one in expressions))


@lru_cache(maxsize=1024)
def _of(expressions: tuple[Expression, ...]) -> LabelSelector:
    return LabelSelector(
        tuple(Requirement(key, _OPERATORS[operator], frozenset(values)) for key, operator, values in expressions)
    )
