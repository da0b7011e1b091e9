"""DefaultPreemption: a pod that fits nowhere may have pods of lower priority removed, where that makes it fit.

Of all nodes on which it would help, the one is taken where it does the least harm: fewest disruption budgets violated,
then the lowest of the highest priorities among the victims, the smallest sum of priorities, the fewest victims, the
youngest ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import PODS as POD_RESOURCE
from autograder.controlplane.apimachinery.selectors import of_object
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_scheduler.event_recorder import NORMAL
from autograder.controlplane.kube_scheduler.events import Interest
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle, PostFilterResult
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.pod_status import patch_condition
from autograder.controlplane.kube_scheduler.status import Code, NodeStatuses, Status, unresolvable, unschedulable

MIN_CANDIDATES_PERCENTAGE: Final = 10
MIN_CANDIDATES: Final = 100
#: Added to every priority, so that more victims never come to a smaller sum.
PRIORITY_OFFSET: Final = 2**31

NOT_HELPFUL: Final = unresolvable("Preemption is not helpful for scheduling")
NO_VICTIMS: Final = unresolvable("No preemption victims found for incoming pod")


class Candidate(NamedTuple):
    """A node and the pods that would have to go, most important first; ``violations`` counts budgets violated."""

    node: str
    victims: tuple[PodInfo, ...]
    violations: int


class DefaultPreemption:
    """See the module."""

    name = "DefaultPreemption"

    def post_filter(
        self, cycle: Cycle, pod: PodInfo, statuses: NodeStatuses
    ) -> tuple[PostFilterResult | None, Status | None]:
        """Make room on the best node, if there is one."""
        handle = cycle.handle
        current = handle.pods.get_by_key(pod.key)
        if current is None:
            return None, Status(Code.ERROR, (f'pod "{pod.name}" not found',))
        pod = PodInfo.of(current)
        why_not = _not_eligible(cycle, pod, statuses)
        if why_not:
            return None, unschedulable(f"preemption: {why_not}")
        candidates, turned_down = _candidates(cycle, pod, statuses)
        if not candidates:
            nodes = len(cycle.snapshot.nodes)
            message = f"0/{nodes} nodes are available: {turned_down.histogram(nodes)}."
            return PostFilterResult(""), unschedulable(f"preemption: {message}")
        best = select_candidate(candidates, handle.clock.now)
        try:
            _evict(handle, pod, best)
        except StatusError as refusal:
            return None, Status(Code.ERROR, (f"preemption: {refusal}",))
        return PostFilterResult(best.node), None

    def interests(self) -> tuple[Interest, ...]:
        """Whether to try again is for the plugins to say that turned the pod away."""
        return ()


def select_candidate(candidates: Sequence[Candidate], now: int) -> Candidate:
    """The candidate that does the least harm; the first one of several."""
    harms: tuple[Callable[[Candidate], int], ...] = (
        lambda one: one.violations,
        lambda one: one.victims[0].priority,
        lambda one: sum(victim.priority + PRIORITY_OFFSET for victim in one.victims),
        lambda one: len(one.victims),
        lambda one: -_earliest_start(one.victims, now),
    )
    return min(candidates, key=lambda one: tuple(harm(one) for harm in harms))


def split_by_budget(victims: Sequence[PodInfo], budgets: Sequence[Object]) -> tuple[list[PodInfo], list[PodInfo]]:
    """The victims whose going would violate a PodDisruptionBudget, and the others, both in the order given."""
    allowed = [budget.get("status", {}).get("disruptionsAllowed", 0) for budget in budgets]
    violating: list[PodInfo] = []
    others: list[PodInfo] = []
    for victim in victims:
        violated = False
        for place, budget in enumerate(budgets):
            if _guards(budget, victim):
                allowed[place] -= 1
                violated |= allowed[place] < 0
        (violating if violated else others).append(victim)
    return violating, others


def _guards(budget: Object, pod: PodInfo) -> bool:
    """Whether a budget counts the pod; one that is already being disrupted counts no more."""
    if budget["metadata"]["namespace"] != pod.namespace or not pod.labels:
        return False
    selector = of_object(budget["spec"].get("selector"))
    if selector.empty or not selector.matches(pod.labels):
        return False
    return pod.name not in (budget.get("status", {}).get("disruptedPods") or {})


def _not_eligible(cycle: Cycle, pod: PodInfo, statuses: NodeStatuses) -> str:
    """Why a pod may not have others removed now, or ''."""
    if pod.spec.get("preemptionPolicy") == "Never":
        return "not eligible due to preemptionPolicy=Never."
    nominated = pod.nominated_node
    if nominated and statuses.get(nominated).code is not Code.UNRESOLVABLE:
        node = cycle.snapshot.get(nominated)
        others = node.pods.values() if node else ()
        if any(other.priority < pod.priority and _being_preempted(other) for other in others):
            return "not eligible due to a terminating pod on the nominated node."
    return ""


def _being_preempted(pod: PodInfo) -> bool:
    return pod.terminating and any(
        condition["type"] == "DisruptionTarget"
        and condition["status"] == "True"
        and condition.get("reason") == "PreemptionByScheduler"
        for condition in pod.status.get("conditions") or ()
    )


def _candidates(cycle: Cycle, pod: PodInfo, statuses: NodeStatuses) -> tuple[list[Candidate], NodeStatuses]:
    """Where removing pods would help; for the nodes tried in vain, why it would not."""
    turned_down = NodeStatuses(absent=NOT_HELPFUL)
    names = cycle.snapshot.column(("name",), lambda node: node.name)
    hopeful = statuses.names(Code.UNSCHEDULABLE, names)
    if not hopeful:
        return [], turned_down
    nodes = [node for node in cycle.snapshot.nodes if node.name in hopeful]
    budgets = list(cycle.handle.disruption_budgets)
    begin = cycle.handle.dice.randrange(len(nodes))
    enough = min(max(len(nodes) * MIN_CANDIDATES_PERCENTAGE // 100, MIN_CANDIDATES), len(nodes))
    harmless: list[Candidate] = []
    harmful: list[Candidate] = []
    for node in (*nodes[begin:], *nodes[:begin]):
        found = _dry_run(cycle, pod, node, budgets)
        if isinstance(found, Status):
            turned_down.named[node.name] = found
            continue
        (harmful if found.violations else harmless).append(found)
        if harmless and len(harmless) + len(harmful) >= enough:
            break
    return harmless + harmful, turned_down


def _dry_run(cycle: Cycle, pod: PodInfo, node: NodeInfo, budgets: list[Object]) -> Candidate | Status:
    """The pods that would have to go from a node, or why the pod would not fit there all the same."""
    framework = cycle.handle.framework
    trial = cycle.trial()
    now = cycle.handle.clock.now
    potential = [other for other in node.pods.values() if other.priority < pod.priority]
    if not potential:
        return NO_VICTIMS
    state = node
    for other in potential:
        state = framework.change(trial, pod, other, state, -1)
    status = framework.filter_with_nominated(trial, pod, state)
    if status is not None:
        return status
    potential.sort(key=lambda other: _importance(other, now))
    violating, others = split_by_budget(potential, budgets)
    victims: list[PodInfo] = []
    violations = 0
    for place, other in enumerate((*violating, *others)):
        state = framework.change(trial, pod, other, state, 1)
        if framework.filter_with_nominated(trial, pod, state) is not None:
            state = framework.change(trial, pod, other, state, -1)
            victims.append(other)
            violations += place < len(violating)
    if not victims:
        return Status(Code.ERROR, (f'expected at least one victim pod on node "{node.name}"',))
    victims.sort(key=lambda other: _importance(other, now))
    return Candidate(node.name, tuple(victims), violations)


def _importance(pod: PodInfo, now: int) -> tuple[int, int]:
    """Sorts the most important pod first: by priority, then the one that has run longer."""
    return -pod.priority, _start(pod, now)


def _start(pod: PodInfo, now: int) -> int:
    started = pod.status.get("startTime")
    return timestamps.parse(started) if started else now


def _earliest_start(victims: Sequence[PodInfo], now: int) -> int:
    """When the first of the victims of highest priority started."""
    highest = max(victim.priority for victim in victims)
    return min(_start(victim, now) for victim in victims if victim.priority == highest)


def _evict(handle: Handle, pod: PodInfo, chosen: Candidate) -> None:
    """Remove the victims, and take back nominations of lesser pods for the node.  Raises ``StatusError``."""
    for key in handle.nominator.pods_of(chosen.node):
        lesser = handle.pods.get_by_key(key)
        if lesser is not None and PodInfo.of(lesser).priority < pod.priority:
            patch = {"status": {"nominatedNodeName": None}}
            meta = lesser["metadata"]
            handle.client.patch(POD_RESOURCE, meta["namespace"], meta["name"], patch, "status")
    for victim in chosen.victims:
        if not victim.terminating:
            _preempt(handle, pod, victim, chosen.node)


def _preempt(handle: Handle, pod: PodInfo, victim: PodInfo, node: str) -> None:
    scheduler = pod.spec["schedulerName"]
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "PreemptionByScheduler",
        "message": f"{scheduler}: preempting to accommodate a higher priority pod",
    }
    try:
        patch_condition(handle.client, victim, condition, handle.clock.now)
        handle.client.delete(POD_RESOURCE, victim.namespace, victim.name, uid=victim.uid)
    except NotFound:
        return
    message = f"Preempted by pod {pod.uid} on node {node}"
    handle.recorder.event(victim.object, NORMAL, "Preempted", "Preempting", message, pod.object)
