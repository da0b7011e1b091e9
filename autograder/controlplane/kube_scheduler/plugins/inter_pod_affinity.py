"""InterPodAffinity: pods that want to be near certain pods, or away from them, within a domain that a label tells.

What pods that are already there say counts too: their anti-affinity keeps a pod away as much as its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

from autograder.controlplane.apimachinery.selectors import EVERYTHING, NOTHING
from autograder.controlplane.kube_scheduler.events import PODS, Action, ClusterEvent, Interest, Resource
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import MAX_NODE_SCORE, Cycle, Window
from autograder.controlplane.kube_scheduler.node_info import AffinityTerm, Labels, NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.status import SKIP, Status, unresolvable, unschedulable

NOT_NEAR: Final = unresolvable("node(s) didn't match pod affinity rules")
TOO_NEAR: Final = unschedulable("node(s) didn't match pod anti-affinity rules")
KEPT_AWAY: Final = unschedulable("node(s) didn't satisfy existing pods anti-affinity rules")

#: What it is worth to be near a pod that must be near this one.
HARD_AFFINITY_WEIGHT: Final = 1

T = TypeVar("T")

Pair = tuple[str, str]
Terms = tuple[AffinityTerm, ...]
Counts = dict[Pair, int]


class Near(NamedTuple):
    """Per topology key and value: existing pods that keep this one away, those it wants and those it does not."""

    terms: Terms
    anti_terms: Terms
    namespace_labels: Labels
    keeping_away: Counts
    wanted: Counts
    unwanted: Counts


class InterPodAffinity:
    """See the module."""

    name = "InterPodAffinity"
    weight = 2

    def pre_filter(self, cycle: Cycle, pod: PodInfo) -> Status | None:
        """Count the pods that matter, per domain."""
        handle = cycle.handle
        terms, anti_terms = _resolve(handle, pod.affinity_terms), _resolve(handle, pod.anti_affinity_terms)
        labels = handle.namespace_labels(pod.namespace)
        keeping_away: Counts = {}
        for node, keys in _affine_nodes(cycle, pod, labels, "keep away", _keeping_away):
            for key in keys:
                _count(keeping_away, node, key, 1)
        if not (keeping_away or terms or anti_terms):
            return SKIP
        wanted: Counts = {}
        if terms:
            matching = _matching(cycle, ("pods of all terms", terms), lambda other: _all_match(terms, other))
            for term in terms:
                _tally(wanted, cycle, term.topology_key, matching)
        unwanted: Counts = {}
        for term in anti_terms:
            _tally(unwanted, cycle, term.topology_key, _matching(cycle, ("pods of term", term), _matcher(term)))
        cycle.filter_data[self.name] = Near(terms, anti_terms, labels, keeping_away, wanted, unwanted)
        return None

    def after_change(self, cycle: Cycle, pod: PodInfo, other: PodInfo, node: NodeInfo, sign: int) -> None:
        """Count a pod that comes or goes."""
        near: Near = cycle.filter_data[self.name]
        keeping_away, wanted, unwanted = near.keeping_away.copy(), near.wanted.copy(), near.unwanted.copy()
        _count_any(keeping_away, other.anti_affinity_terms, pod, near.namespace_labels, node, sign)
        if _all_match(near.terms, other):
            for term in near.terms:
                _count(wanted, node, term.topology_key, sign)
        _count_any(unwanted, near.anti_terms, other, None, node, sign)
        cycle.filter_data[self.name] = near._replace(keeping_away=keeping_away, wanted=wanted, unwanted=unwanted)

    def filter(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Turn down a node in the wrong company."""
        near: Near = cycle.filter_data[self.name]
        labels = node.labels
        if near.terms:
            if any(term.topology_key not in labels for term in near.terms):
                return NOT_NEAR
            company = all((term.topology_key, labels[term.topology_key]) in near.wanted for term in near.terms)
            first_of_its_kind = not near.wanted and _all_match(near.terms, pod)
            if not company and not first_of_its_kind:
                return NOT_NEAR
        if near.unwanted:
            for term in near.anti_terms:
                value = labels.get(term.topology_key)
                if value is not None and near.unwanted.get((term.topology_key, value), 0) > 0:
                    return TOO_NEAR
        if near.keeping_away and any(near.keeping_away.get(pair, 0) > 0 for pair in labels.items()):
            return KEPT_AWAY
        return None

    def filter_many(self, cycle: Cycle, pod: PodInfo) -> list[Status | None]:
        """As ``filter``, judging each domain once."""
        near: Near = cycle.filter_data[self.name]
        objections: list[Status | None] = [None] * len(cycle.snapshot.nodes)
        anybody = not near.wanted and _all_match(near.terms, pod)
        for term in near.terms:
            company = {value for key, value in near.wanted if key == term.topology_key}
            objections = [
                said or (NOT_NEAR if domain is None or not (anybody or domain in company) else None)
                for said, domain in zip(objections, cycle.domains(term.topology_key), strict=True)
            ]
        for status, counts, keys in (
            (TOO_NEAR, near.unwanted, [term.topology_key for term in near.anti_terms]),
            (KEPT_AWAY, near.keeping_away, [key for key, _ in near.keeping_away]),
        ):
            for topology_key in dict.fromkeys(keys):
                bad = {value for (key, value), count in counts.items() if key == topology_key and count > 0}
                if bad:
                    objections = [
                        said or (status if domain in bad else None)
                        for said, domain in zip(objections, cycle.domains(topology_key), strict=True)
                    ]
        return objections

    def pre_score(self, cycle: Cycle, pod: PodInfo, window: Window) -> Status | None:
        """Add up what company is worth, per domain."""
        handle = cycle.handle
        worth: Counts = {}
        for own, sign in ((pod.preferred_affinity_terms, 1), (pod.preferred_anti_affinity_terms, -1)):
            for term in _resolve(handle, own):
                matching = _matching(cycle, ("pods of term", term), _matcher(term))
                _tally(worth, cycle, term.topology_key, matching, sign * term.weight)
        labels = handle.namespace_labels(pod.namespace)
        for node, offers in _affine_nodes(cycle, pod, labels, "are drawn", _drawn):
            for key, points in offers:
                _add(worth, node, key, points)
        if not worth:
            return SKIP
        by_key: dict[str, dict[str, int]] = {}
        for (key, value), points in worth.items():
            by_key.setdefault(key, {})[value] = points
        cycle.score_data[self.name] = by_key
        return None

    def score(self, cycle: Cycle, pod: PodInfo, node: NodeInfo) -> int:
        """What the company in the node's domains is worth; may be negative."""
        by_key: dict[str, dict[str, int]] = cycle.score_data[self.name]
        labels = node.labels
        return sum(points.get(labels[key], 0) for key, points in by_key.items() if key in labels)

    def normalize(self, cycle: Cycle, pod: PodInfo, window: Window, scores: list[int]) -> list[int]:
        """The worst node gets 0, the best 100."""
        least, most = min(scores), max(scores)
        if least == most:
            return [0] * len(scores)
        return [int(MAX_NODE_SCORE * ((score - least) / (most - least))) for score in scores]

    def interests(self) -> tuple[Interest, ...]:
        """Pods that matter come, go or are relabelled; nodes come or move to another domain."""
        return (
            Interest(PODS, Action.ADD | Action.DELETE | Action.POD_LABEL, _pods_changed),
            Interest((Resource.NODE,), Action.ADD | Action.NODE_LABEL, _nodes_changed),
        )


def _resolve(handle: Handle, terms: Terms) -> Terms:
    """Terms with the namespaces that their selectors mean now."""
    return tuple(_with_namespaces(handle, term) for term in terms)


def _with_namespaces(handle: Handle, term: AffinityTerm) -> AffinityTerm:
    selector = term.namespace_selector
    if selector in (EVERYTHING, NOTHING):
        return term
    meant = [one["metadata"] for one in handle.namespaces if selector.matches(one["metadata"].get("labels"))]
    names = term.namespaces.union(meta["name"] for meta in meant)
    return AffinityTerm(term.selector, names, NOTHING, term.topology_key, term.weight)


def _affine_nodes(
    cycle: Cycle, pod: PodInfo, labels: Labels, what: str, ask: Callable[[PodInfo, PodInfo, Labels], list[T]]
) -> Iterator[tuple[NodeInfo, list[T]]]:
    """The nodes with pods that have something to say of this one, and what they say."""
    if not cycle.snapshot.affine:
        return

    def sayings(node: NodeInfo) -> list[T]:
        affine = [other for other in node.pods.values() if other.has_pod_affinity]
        return [said for other in affine for said in ask(other, pod, labels)]

    key = (what, pod.namespace, tuple(sorted(pod.labels.items())), tuple(sorted(labels.items())))
    for node, said in zip(cycle.snapshot.nodes, cycle.snapshot.column(key, sayings), strict=True):
        if said:
            yield node, said


def _keeping_away(other: PodInfo, pod: PodInfo, labels: Labels) -> list[str]:
    """The topology keys within which another pod does not want this one."""
    return [term.topology_key for term in other.anti_affinity_terms if term.matches(pod, labels)]


def _drawn(other: PodInfo, pod: PodInfo, labels: Labels) -> list[tuple[str, int]]:
    """What it is worth to another pod to have this one near it, by topology key."""
    weighted = [(term, HARD_AFFINITY_WEIGHT) for term in other.affinity_terms]
    weighted += [(term, term.weight) for term in other.preferred_affinity_terms]
    weighted += [(term, -term.weight) for term in other.preferred_anti_affinity_terms]
    return [(term.topology_key, points) for term, points in weighted if term.matches(pod, labels)]


def _matching(cycle: Cycle, key: tuple[object, ...], means: Callable[[PodInfo], bool]) -> Sequence[int]:
    """How many pods of some kind each node has."""
    return cycle.snapshot.column(key, lambda node: sum(map(means, node.pods.values())))


def _tally(totals: Counts, cycle: Cycle, key: str, matching: Sequence[int], points: int = 1) -> None:
    """Add up over domains what the nodes have, each counting so many points."""
    for domain, count in zip(cycle.domains(key), matching, strict=True):
        if count and domain is not None:
            totals[key, domain] = totals.get((key, domain), 0) + points * count


def _matcher(term: AffinityTerm) -> Callable[[PodInfo], bool]:
    return lambda other: term.matches(other, None)


def _all_match(terms: Terms, pod: PodInfo) -> bool:
    return bool(terms) and all(term.matches(pod, None) for term in terms)


def _count_any(
    counts: Counts, terms: Terms, pod: PodInfo, namespace_labels: Labels | None, node: NodeInfo, by: int
) -> None:
    for term in terms:
        if term.matches(pod, namespace_labels):
            _count(counts, node, term.topology_key, by)


def _count(counts: Counts, node: NodeInfo, key: str, by: int) -> None:
    """Count for the node's domain; what comes to nothing is left out."""
    value = node.labels.get(key)
    if value is not None:
        total = counts.get((key, value), 0) + by
        if total:
            counts[key, value] = total
        else:
            counts.pop((key, value), None)


def _add(worth: Counts, node: NodeInfo, key: str, points: int) -> None:
    value = node.labels.get(key)
    if value is not None:
        worth[key, value] = worth.get((key, value), 0) + points


def _pods_changed(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    old = PodInfo.of(event.old) if event.old else None
    new = PodInfo.of(event.new) if event.new else None
    if old is not None and new is not None and new.uid == pod.uid:
        return True
    for other in (old, new):
        if other is not None and not other.node_name and not other.nominated_node:
            return False
    terms, anti_terms = pod.affinity_terms, pod.anti_affinity_terms
    if new is not None:
        came_near = _all_match(terms, new) and (old is None or not _all_match(terms, old))
        went_away = old is not None and _all_match(anti_terms, old) and not _all_match(anti_terms, new)
        return came_near or went_away
    assert old is not None
    return _all_match(anti_terms, old) or _all_match(old.anti_affinity_terms, pod)


def _nodes_changed(handle: Handle, pod: PodInfo, event: ClusterEvent) -> bool:
    assert event.new is not None
    new = NodeFacts.of(event.new).labels
    if event.old is None:
        return bool(pod.anti_affinity_terms) or any(term.topology_key in new for term in pod.affinity_terms)
    old = NodeFacts.of(event.old).labels
    nearer = any(
        term.topology_key in new and old.get(term.topology_key) != new[term.topology_key] for term in pod.affinity_terms
    )
    return nearer or any(
        term.topology_key in old and new.get(term.topology_key) != old[term.topology_key]
        for term in pod.anti_affinity_terms
    )
