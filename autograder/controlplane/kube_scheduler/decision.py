"""Why a pod went where it went, as plain data: node by node what each plugin said.

What is kept of a decision is a reference to the nodes as they were; the rest is worked out when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from autograder.controlplane.kube_scheduler.algorithm import NO_NODES, Rejection, search
from autograder.controlplane.kube_scheduler.framework import Framework
from autograder.controlplane.kube_scheduler.handle import Handle
from autograder.controlplane.kube_scheduler.interface import Cycle
from autograder.controlplane.kube_scheduler.node_info import NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.snapshot import PlainSnapshot


class Attempt(NamedTuple):
    """One try to schedule a pod, as it is remembered.  ``node`` is '' when no node would do; ``at`` is when."""

    pod: PodInfo
    nodes: tuple[NodeInfo, ...]
    start: int
    at: int
    node: str
    message: str


@dataclass(frozen=True)
class Score:
    """What one plugin gave one node: as it scored, brought to 0..100, and times its weight."""

    plugin: str
    raw: int
    normalized: int
    weight: int

    @property
    def weighted(self) -> int:
        """What it adds to the node's total."""
        return self.normalized * self.weight


@dataclass(frozen=True)
class NodeDecision:
    """One node.  ``filtered_by`` is the plugin that turned it down ('' if none did), ``reasons`` say why.

    ``looked_at`` is False for nodes that were not reached, since enough others had been found.
    """

    node: str
    looked_at: bool = True
    filtered_by: str = ""
    reasons: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()

    @property
    def total(self) -> int:
        """The node's score."""
        return sum(score.weighted for score in self.scores)


@dataclass(frozen=True)
class Decision:
    """One try to schedule a pod.

    ``node`` is the choice ('' when there is none); ``tied`` are the nodes of the highest total, among which dice
    decided; ``message`` is what the pod's condition says when no node would do.  ``at`` is in microseconds since the
    epoch.  Nodes stand in the order in which they were looked at.
    """

    pod: str
    at: int
    node: str
    message: str
    nodes: tuple[NodeDecision, ...] = field(default=())
    tied: tuple[str, ...] = field(default=())


def decide_again(framework: Framework, handle: Handle, attempt: Attempt) -> Decision:
    """Work out in full what happened at an attempt.

    Nodes and pods are taken as they were then; objects of other kinds (services, claims) as they are now.
    """
    pod = attempt.pod
    snapshot = PlainSnapshot(attempt.nodes)
    bare = Decision(pod.key, attempt.at, attempt.node, attempt.message)
    if not attempt.nodes:
        return Decision(pod.key, attempt.at, "", attempt.message or NO_NODES)
    cycle = Cycle(handle, snapshot)
    found = search(framework, cycle, pod, attempt.start, plainly=True)
    if isinstance(found, Rejection):
        return bare
    scores: dict[str, tuple[Score, ...]] = {}
    window = found.window
    if len(window) > 1:
        framework.pre_score(cycle, pod, window)
        columns = list(framework.scores(cycle, pod, window, plainly=True))
        for place, node in enumerate(window.nodes):
            scores[node.name] = tuple(
                Score(column.plugin, column.raw[place], column.normalized[place], column.weight) for column in columns
            )
    fits = {node.name for node in window.nodes}
    turn = attempt.start % len(attempt.nodes)
    rows = []
    for info in (*attempt.nodes[turn:], *attempt.nodes[:turn]):
        name = info.name
        if name in fits:
            rows.append(NodeDecision(name, scores=scores.get(name, ())))
        elif name in found.statuses.named or not fits:
            status = found.statuses.get(name)
            rows.append(NodeDecision(name, True, status.plugin, status.reasons))
        else:
            rows.append(NodeDecision(name, looked_at=False))
    best = max((row.total for row in rows if row.node in fits), default=0)
    tied = tuple(row.node for row in rows if row.node in fits and row.total == best)
    return Decision(pod.key, attempt.at, attempt.node, attempt.message, tuple(rows), tied)
