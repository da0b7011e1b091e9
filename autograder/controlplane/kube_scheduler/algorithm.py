"""One pod, one decision: which nodes will do, how good each of them is, and which one it is to be.

In a large cluster not every node is looked at: the search ends when enough nodes are found, and goes on for the next
pod where it stopped.  Where nodes are equally good, dice decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add
from random import Random
from typing import Final, NamedTuple

from autograder.controlplane.kube_scheduler.framework import Framework
from autograder.controlplane.kube_scheduler.interface import Cycle, Snapshot, Window
from autograder.controlplane.kube_scheduler.node_info import PodInfo
from autograder.controlplane.kube_scheduler.status import Code, NodeStatuses, Status, unresolvable

MIN_NODES: Final = 100
MIN_PERCENTAGE: Final = 5

NO_NODES: Final = "no nodes available to schedule pods"


class Search(NamedTuple):
    """What came of looking for nodes.  ``window`` holds those that will do; ``next_start`` is where to go on."""

    window: Window
    statuses: NodeStatuses
    rejected_by: frozenset[str]
    pre_filter_message: str
    next_start: int


class Choice(NamedTuple):
    """The node for a pod."""

    node: str


class Rejection(NamedTuple):
    """No node will do.  ``rejected_by`` names the plugins to blame; none when the scheduler itself is in trouble."""

    message: str
    rejected_by: frozenset[str]
    unschedulable: bool
    nominated: str | None


def nodes_to_find(nodes: int) -> int:
    """How many nodes that will do are enough: half of them, fewer in large clusters, but no fewer than 100."""
    if nodes < MIN_NODES:
        return nodes
    percentage = max(50 - nodes // 125, MIN_PERCENTAGE)
    return max(nodes * percentage // 100, MIN_NODES)


def schedule(
    framework: Framework, cycle: Cycle, pod: PodInfo, start: int, dice: Random, *, plainly: bool = False
) -> tuple[Choice | Rejection, int]:
    """Decide on one pod; also returns where the search for the next one starts.

    ``plainly`` asks every plugin for every node by itself, which gives the same and takes longer.
    Raises ``PluginError`` when a plugin answers what it may not.
    """
    nodes = len(cycle.snapshot.nodes)
    if not nodes:
        return Rejection(NO_NODES, frozenset(), True, ""), start
    found = search(framework, cycle, pod, start, plainly=plainly)
    if isinstance(found, Rejection):
        return found, start
    if not found.window.positions:
        return _reject(framework, cycle, pod, found, nodes), found.next_start
    if len(found.window) == 1:
        return Choice(found.window.nodes[0].name), found.next_start
    totals = prioritize(framework, cycle, pod, found.window, plainly=plainly)
    chosen = found.window.positions[select(totals, dice)]
    return Choice(cycle.snapshot.nodes[chosen].name), found.next_start


def search(framework: Framework, cycle: Cycle, pod: PodInfo, start: int, *, plainly: bool) -> Search | Rejection:
    """Look for nodes that will do, from position ``start`` on."""
    snapshot = cycle.snapshot
    outcome = framework.pre_filter(cycle, pod)
    if outcome.status is not None:
        status = outcome.status
        if not status.rejected:
            message = f'running PreFilter plugin "{status.plugin}": {status.message}'
            return Rejection(message, frozenset(), False, "")
        blamed = outcome.limited_by | ({status.plugin} if status.plugin else set())
        return Search(Window(snapshot, ()), NodeStatuses(absent=status), blamed, status.message, start)
    statuses = NodeStatuses()
    if pod.nominated_node and (only := _try_nominated(framework, cycle, pod, statuses)) is not None:
        return Search(only, statuses, outcome.limited_by, "", start)
    if outcome.only is None:
        order: Sequence[int] = range(len(snapshot.nodes))
    else:
        places = {node.name: place for place, node in enumerate(snapshot.nodes)}
        order = [places[name] for name in sorted(outcome.only) if name in places]
        statuses.absent = unresolvable(f"node(s) didn't satisfy plugin(s) [{' '.join(sorted(outcome.limited_by))}]")
    window = _find(framework, cycle, pod, order, start, statuses, plainly=plainly)
    next_start = (start + len(window) + len(statuses)) % len(snapshot.nodes)
    blamed = outcome.limited_by | {status.plugin for status in statuses.named.values()}
    return Search(window, statuses, blamed, "", next_start)


def prioritize(framework: Framework, cycle: Cycle, pod: PodInfo, window: Window, *, plainly: bool = False) -> list[int]:
    """The total score of every node of a window, less what all of them have in common."""
    framework.pre_score(cycle, pod, window)
    totals = [0] * len(window)
    for scores in framework.scores(cycle, pod, window, plainly=plainly):
        if scores.distinct:
            weight = scores.weight
            weighted = scores.normalized if weight == 1 else [score * weight for score in scores.normalized]
            totals = list(map(add, totals, weighted))
    return totals


def select(totals: list[int], dice: Random) -> int:
    """The place of the highest total; one of them by dice where there are several."""
    best = max(totals)
    place = totals.index(best)
    ties = totals.count(best)
    if ties > 1:
        for _ in range(dice.randrange(ties)):
            place = totals.index(best, place + 1)
    return place


def _try_nominated(framework: Framework, cycle: Cycle, pod: PodInfo, statuses: NodeStatuses) -> Window | None:
    """Just the node that was nominated for the pod, if it will do."""
    for place, node in enumerate(cycle.snapshot.nodes):
        if node.name == pod.nominated_node:
            status = framework.filter_with_nominated(cycle, pod, node)
            if status is None:
                return Window(cycle.snapshot, [place])
            statuses.named[node.name] = status
    return None


def _find(
    framework: Framework,
    cycle: Cycle,
    pod: PodInfo,
    order: Sequence[int],
    start: int,
    statuses: NodeStatuses,
    *,
    plainly: bool,
) -> Window:
    """The nodes that will do, as many as are enough; why others will not is noted in ``statuses``."""
    snapshot = cycle.snapshot
    nodes = snapshot.nodes
    wanted = nodes_to_find(len(order))
    begin = start % len(order) if order else 0
    rotated = [*order[begin:], *order[:begin]]

    def ask_all(position: int) -> Status | None:
        return framework.filter_with_nominated(cycle, pod, nodes[position])

    if plainly:
        return _collect(snapshot, rotated, ask_all, wanted, statuses)
    objections, others = framework.filter_column(cycle, pod)
    crowded = frozenset(cycle.handle.nominator.nodes())

    def ask_others(position: int) -> Status | None:
        if crowded and nodes[position].name in crowded:
            return ask_all(position)
        return objections[position] or framework.ask(others, cycle, pod, nodes[position])

    if others or crowded:
        return _collect(snapshot, rotated, ask_others, wanted, statuses)
    if isinstance(order, range):
        window = Window.span(snapshot, begin, wanted)
        if not any(window.take(objections)):
            return window
    return _take(snapshot, rotated, objections, wanted, statuses)


def _collect(
    snapshot: Snapshot,
    order: list[int],
    ask: Callable[[int], Status | None],
    wanted: int,
    statuses: NodeStatuses,
) -> Window:
    """The first nodes to which nobody objects, asked one by one; the objections to those before them are noted."""
    positions: list[int] = []
    for position in order:
        status = ask(position)
        if status is not None:
            statuses.named[snapshot.nodes[position].name] = status
            continue
        positions.append(position)
        if len(positions) == wanted:
            break
    return Window(snapshot, positions)


def _take(
    snapshot: Snapshot,
    order: list[int],
    objections: Sequence[Status | None],
    wanted: int,
    statuses: NodeStatuses,
) -> Window:
    """As ``_collect``, with the answers for all nodes at hand."""
    free = [position for position in order if objections[position] is None]
    looked_at = order if len(free) < wanted else order[: order.index(free[wanted - 1]) + 1]
    names = snapshot.column(("name",), lambda node: node.name)
    for position in looked_at:
        status = objections[position]
        if status is not None:
            statuses.named[names[position]] = status
    return Window(snapshot, free[:wanted])


def _reject(framework: Framework, cycle: Cycle, pod: PodInfo, found: Search, nodes: int) -> Rejection:
    result, status = framework.post_filter(cycle, pod, found.statuses)
    why = found.pre_filter_message or found.statuses.histogram(nodes)
    parts = [f"0/{nodes} nodes are available:", f"{why}." if why else "", status.message if status else ""]
    message = " ".join(part for part in parts if part)
    nominated = result.nominated if result is not None else None
    if status is not None and status.code is Code.ERROR:
        nominated = None
    return Rejection(message, found.rejected_by, True, nominated)
