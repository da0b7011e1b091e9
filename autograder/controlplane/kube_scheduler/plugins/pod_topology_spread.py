"""PodTopologySpread: alike pods are to be spread evenly over zones, nodes or any other domain that labels tell.

A pod may say how (``topologySpreadConstraints``); for others that belong to a Service or a workload it is
preferred that they be spread over nodes and zones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.node_selector import RequiredNodes, required
from autograder.controlplane.apimachinery.selectors import LabelSelector
from autograder.controlplane.kube_scheduler import taints
from autograder.controlplane.kube_scheduler.events import PODS, Action, ClusterEvent, Interest, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import MAX_NODE_SCORE, Cycle, Window
from autograder.controlplane.kube_scheduler.node_info import Labels, NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.plugins.spread_constraints import (
    DO_NOT_SCHEDULE,
    HOSTNAME,
    SCHEDULE_ANYWAY,
    Constraint,
    default_constraints,
    stated,
)
from autograder.controlplane.kube_scheduler.status import SKIP, Status, unresolvable, unschedulable

TOO_SKEWED: Final = unschedulable("node(s) didn't match pod topology spread constraints")
NO_LABEL: Final = unresolvable("node(s) didn't match pod topology spread constraints (missing required label)")

#: Up to how many domains it is quicker to add up one after the other.
FEW_DOMAINS: Final = 8


class Domains(NamedTuple):
    """For filtering: the constraints, for each the matching pods per domain, and the fewest in any domain.

    There are taken to be none somewhere while there are fewer domains than there should be.
    """

    constraints: tuple[Constraint, ...]
    counts: tuple[dict[str, int], ...]
    least: tuple[int, ...]

    @classmethod
    def of(cls, constraints: tuple[Constraint, ...], counts: list[dict[str, int]]) -> Domains:
        least = tuple(
            min(found.values()) if found and len(found) >= constraint.min_domains else 0
            for constraint, found in zip(constraints, counts, strict=True)
        )
        return cls(constraints, tuple(counts), least)


#: Matching pods per domain; a node without the label has none (None is never a key, but may be looked up).
Totals = dict[str | None, int]


class Preferred(NamedTuple):
    """For scoring: the constraints, for each the matching pods per domain and its weight.

    ``needs_all`` says that nodes without all topology labels get nothing.
    """

    constraints: tuple[Constraint, ...]
    counts: tuple[Totals, ...]
    weights: tuple[float, ...]
    needs_all: bool


class PodTopologySpread:
    """See the module."""

    name = "PodTopologySpread"
    weight = 2

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status | None:
        """Count matching pods per domain, if the pod insists on being spread."""
        wanted = stated(pod, DO_NOT_SCHEDULE)
        if not wanted:
            return SKIP
        eligible = _Eligible(cycle, pod)
        keys = tuple(constraint.topology_key for constraint in wanted)
        labelled = _labelled(cycle, keys)
        counts = []
        for constraint in wanted:
            found: dict[str, int] = {}
            rows = zip(
                labelled,
                eligible.column(constraint),
                cycle.domains(constraint.topology_key),
                _matching(cycle, pod, constraint),
                strict=True,
            )
            for complete, counted, domain, count in rows:
                if complete and counted:
                    assert domain is not None
                    found[domain] = found.get(domain, 0) + count
            counts.append(found)
        cycle.filter_data[self.name] = Domains.of(wanted, counts)
        return None

    def after_change(self, cycle: Cycle, pod: PodInfo, other: PodInfo, node: NodeInfo, sign: int) -> None:
        """Count a pod that comes or goes."""
        known: Domains = cycle.filter_data[self.name]
        keys = tuple(constraint.topology_key for constraint in known.constraints)
        if other.namespace != pod.namespace or not _has_all(node.labels, keys):
            return
        places = required(pod.spec)
        counts = list(known.counts)
        for place, constraint in enumerate(known.constraints):
            if constraint.selector.matches(other.labels) and _counts(constraint, pod, places, node.node):
                domain = node.labels[constraint.topology_key]
                counts[place] = {**counts[place], domain: counts[place].get(domain, 0) + sign}
        cycle.filter_data[self.name] = Domains.of(known.constraints, counts)

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down a node whose domain would get too far ahead of the emptiest one."""
        known: Domains = cycle.filter_data[self.name]
        for place, constraint in enumerate(known.constraints):
            domain = node.labels.get(constraint.topology_key)
            if domain is None:
                return NO_LABEL
            itself = constraint.selector.matches(pod.labels)
            if known.counts[place].get(domain, 0) + itself - known.least[place] > constraint.max_skew:
                return TOO_SKEWED
        return None

    def filter_many(self, cycle: Cycle, pod: PodInfo) -> list[Status | None]:
        """As ``filter``, judging each domain once."""
        known: Domains = cycle.filter_data[self.name]
        objections: list[Status | None] = [None] * len(cycle.snapshot.nodes)
        for place, constraint in enumerate(known.constraints):
            allowed = constraint.max_skew + known.least[place] - constraint.selector.matches(pod.labels)
            full = {domain for domain, count in known.counts[place].items() if count > allowed}
            if allowed < 0:
                full.update(domain for domain in cycle.domains(constraint.topology_key) if domain is not None)
            objections = [
                said or (NO_LABEL if domain is None else TOO_SKEWED if domain in full else None)
                for said, domain in zip(objections, cycle.domains(constraint.topology_key), strict=True)
            ]
        return objections

    def pre_score(self, cycle: Cycle, pod: PodInfo, window: Window) -> Status | None:
        """Count matching pods in the domains of the nodes that will do."""
        own = bool(pod.spec.get("topologySpreadConstraints"))
        wanted = stated(pod, SCHEDULE_ANYWAY) if own else default_constraints(cycle.handle, pod)
        if not wanted:
            return SKIP
        eligible = _Eligible(cycle, pod)
        keys = tuple(constraint.topology_key for constraint in wanted)
        # By default a node without a zone still takes part in spreading over nodes.
        labelled = _labelled(cycle, keys) if own else ()
        kept = window.take(labelled) if own else [True] * len(window)
        counts: list[Totals] = []
        weights: list[float] = []
        for constraint in wanted:
            key = constraint.topology_key
            if key == HOSTNAME:
                counts.append({})
                weights.append(math.log(sum(kept) + 2))
                continue
            distinct = dict.fromkeys(compress(window.take(cycle.domains(key)), kept))
            counts.append(_sums(cycle, pod, constraint, distinct, (eligible.column(constraint), labelled)))
            weights.append(math.log(len(distinct) + 2))
        cycle.score_data[self.name] = Preferred(wanted, tuple(counts), tuple(weights), own)
        return None

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        """How many matching pods there are in the node's domains, weighted by the number of domains."""
        known: Preferred = cycle.score_data[self.name]
        here = tuple(
            _in_domain(node, constraint, counts, pod)
            for constraint, counts in zip(known.constraints, known.counts, strict=True)
        )
        return 0 if known.needs_all and None in here else _weigh(known, here)

    def score_many(self, cycle: Cycle, pod: PodInfo, window: Window) -> list[int]:
        """As ``score``, looking up each distinct set of counts once.

        Every domain of the window is known, but for those of nodes that lack another label and get nothing anyway.
        """
        known: Preferred = cycle.score_data[self.name]
        columns: list[Sequence[int | None]] = []
        for constraint, counts in zip(known.constraints, known.counts, strict=True):
            domains = window.take(cycle.domains(constraint.topology_key))
            if constraint.topology_key != HOSTNAME:
                columns.append(list(map(counts.get, domains)))
                continue
            matching = window.take(_matching(cycle, pod, constraint))
            if None in domains:
                columns.append(
                    [None if domain is None else count for domain, count in zip(domains, matching, strict=True)]
                )
            else:
                columns.append(matching)
        rows = list(zip(*columns, strict=True))
        weighed = {row: 0 if known.needs_all and None in row else _weigh(known, row) for row in set(rows)}
        return [weighed[row] for row in rows]

    def normalize(self, cycle: Cycle, pod: PodInfo, window: Window, scores: list[int]) -> list[int]:
        """The fewer the better; nodes without the labels that a constraint of the pod's own asks for get nothing."""
        known: Preferred = cycle.score_data[self.name]
        ignored: list[bool] = []
        if known.needs_all:
            keys = tuple(constraint.topology_key for constraint in known.constraints)
            ignored = [not _has_all(node.labels, keys) for node in window.nodes]
        kept = [score for score, out in zip(scores, ignored, strict=True) if not out] if any(ignored) else scores
        most = max(kept, default=0)
        least = min(kept, default=0)
        if most == 0:
            new = dict.fromkeys(scores, MAX_NODE_SCORE)
        else:
            new = {score: MAX_NODE_SCORE * (most + least - score) // most for score in set(scores)}
        if any(ignored):
            return [0 if out else new[score] for score, out in zip(scores, ignored, strict=True)]
        return [new[score] for score in scores]

    def interests(self) -> tuple[Interest, ...]:
        """Matching pods come, go or are relabelled; nodes come, go or move to another domain."""
        pods = Action.ADD | Action.DELETE | Action.POD_LABEL | Action.POD_TOLERATION
        nodes = Action.ADD | Action.DELETE | Action.NODE_LABEL | Action.NODE_TAINT
        return (Interest(PODS, pods, _pods_changed), Interest((Resource.NODE,), nodes, _nodes_changed))


class _Eligible:
    """Which nodes count for a pod's constraints: by default those that its node affinity admits."""

    def __init__(self, cycle: Cycle, pod: PodInfo) -> None:
        self._cycle = cycle
        self._pod = pod
        self._places = required(pod.spec)

    def column(self, constraint: Constraint) -> Sequence[bool]:
        pod, places = self._pod, self._places
        key = (
            "spread eligible",
            places if constraint.honor_affinity else None,
            taints.sign(pod) if constraint.honor_taints else None,
        )
        return self._cycle.snapshot.column(key, lambda node: _counts(constraint, pod, places, node.node))


def _counts(constraint: Constraint, pod: PodInfo, places: RequiredNodes, node: NodeFacts) -> bool:
    if constraint.honor_affinity and not places.matches(node.name, node.labels):
        return False
    return not (constraint.honor_taints and taints.untolerated(pod, node.taints))


def _labelled(cycle: Cycle, keys: tuple[str, ...]) -> Sequence[bool]:
    return cycle.snapshot.column(("spread labels", keys), lambda node: _has_all(node.labels, keys))


def _matching(cycle: Cycle, pod: PodInfo, constraint: Constraint) -> Sequence[int]:
    key = ("matching pods", pod.namespace, constraint.selector)
    return cycle.snapshot.column(key, _counter(pod.namespace, constraint.selector))


def _sums(
    cycle: Cycle,
    pod: PodInfo,
    constraint: Constraint,
    domains: Iterable[str | None],
    admitting: tuple[Sequence[bool], ...],
) -> Totals:
    """The matching pods of some domains, on nodes that all columns of ``admitting`` admit (an empty one: all nodes)."""
    matching = _matching(cycle, pod, constraint)
    for admitted in admitting:
        if not all(admitted):
            matching = [count if counts else 0 for count, counts in zip(matching, admitted, strict=True)]
    sums: Totals = {domain: 0 for domain in domains if domain is not None}
    if len(sums) <= FEW_DOMAINS:
        for domain in sums:
            sums[domain] = sum(compress(matching, _inside(cycle, constraint.topology_key, domain)))
        return sums
    every = cycle.domains(constraint.topology_key)
    for domain, count in zip(compress(every, matching), filter(None, matching), strict=True):
        if domain in sums:
            sums[domain] += count
    return sums


def _inside(cycle: Cycle, key: str, domain: str | None) -> Sequence[bool]:
    return cycle.snapshot.column(("in domain", key, domain), lambda node: node.labels.get(key) == domain)


def _counter(namespace: str, selector: LabelSelector) -> Callable[[NodeInfo], int]:
    """Counts the pods of a node that a selector means; an empty one means none, and pods on their way out count not."""
    if selector.empty:
        return lambda node: 0
    return lambda node: sum(
        pod.namespace == namespace and not pod.terminating and selector.matches(pod.labels)
        for pod in node.pods.values()
    )


def _in_domain(node: NodeInfo, constraint: Constraint, counts: Totals, pod: PodInfo) -> int | None:
    domain = node.labels.get(constraint.topology_key)
    if domain is None:
        return None
    if constraint.topology_key == HOSTNAME:
        return _counter(pod.namespace, constraint.selector)(node)
    return counts.get(domain, 0)


def _weigh(known: Preferred, here: tuple[int | None, ...]) -> int:
    total = 0.0
    for count, constraint, weight in zip(here, known.constraints, known.weights, strict=True):
        if count is not None:
            total += count * weight + (constraint.max_skew - 1)
    whole = int(total)
    return whole + (total - whole >= 0.5)


def _has_all(labels: Labels, keys: tuple[str, ...]) -> bool:
    return all(key in labels for key in keys)


def _pods_changed(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    old = PodInfo.of(event.old) if event.old else None
    new = PodInfo.of(event.new) if event.new else None
    for other in (old, new):
        if other is not None and other.uid != pod.uid:
            placed = other.node_name or other.nominated_node
            if not placed or other.namespace != pod.namespace:
                return False
    wanted = stated(pod, DO_NOT_SCHEDULE)
    if old is not None and new is not None:
        if new.uid == pod.uid and taints.sign(old) != taints.sign(new):
            return any(constraint.honor_taints for constraint in wanted)
        return any(one.selector.matches(old.labels) != one.selector.matches(new.labels) for one in wanted)
    changed = new or old
    assert changed is not None
    return any(constraint.selector.matches(changed.labels) for constraint in wanted)


def _nodes_changed(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    keys = tuple(constraint.topology_key for constraint in stated(pod, DO_NOT_SCHEDULE))
    old = NodeFacts.of(event.old) if event.old else None
    new = NodeFacts.of(event.new) if event.new else None
    was = old is not None and _has_all(old.labels, keys)
    now = new is not None and _has_all(new.labels, keys)
    if old is None or new is None or was != now:
        return was or now
    moved = any(old.labels.get(key) != new.labels.get(key) for key in keys)
    return now and (moved or old.taints != new.taints)
