"""After passing: what the cluster did for the answer, told from its own events.

     at once  the default-scheduler gave Pod web a node (worker-1)
        +1 s  the kubelet started the containers of Pod web

Who did what, in which order, is read from Events and objects; messages of Kubernetes are not interpreted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from autograder.clusters import Capability, Cluster
from autograder.exercises.exercise import Exercise
from autograder.exercises.running import Judgement, Runner

#: Steps that are told; of a longer story the beginning, and how many are left out.
STEPS: Final = 12
#: Objects that are named in one step; of more there is only the number.
NAMED: Final = 2

#: What a reason of an Event means: a verb, and what follows the objects.  Others are told by their reason.
TOLD: Final[dict[str, tuple[str, str]]] = {
    "ScalingReplicaSet": ("set the number of replicas of the ReplicaSets of", ""),
    "SuccessfulCreate": ("created {times} for", ""),
    "SuccessfulDelete": ("deleted {times} of", ""),
    "Scheduled": ("gave", "a node"),
    "FailedScheduling": ("found no node for", ""),
    "Pulling": ("began to pull the image of", ""),
    "Pulled": ("had the image for", ""),
    "Created": ("created the containers of", ""),
    "Started": ("started the containers of", ""),
    "Killing": ("stopped the containers of", ""),
    "Failed": ("could not start", ""),
    "BackOff": ("waited before trying again with", ""),
    "Unhealthy": ("got no good answer to a probe of", ""),
    "FailedCreate": ("was refused Pods for", ""),
}
#: Steps that every Pod takes between others, and that tell a newcomer nothing more.
LEFT_OUT: Final = frozenset({"Pulling", "Pulled", "Created"})


@dataclass(frozen=True, slots=True)
class _Step:
    """One event: when (in seconds), by whom, for what reason, about which object; of a Pod also its node."""

    at: int
    order: int  #: of two in one second, the one that was stored first came first
    who: str
    reason: str
    kind: str
    name: str
    node: str


def debrief(cluster: Cluster, namespaces: Sequence[str], known: frozenset[str] = frozenset()) -> list[str]:
    """The story that the events in these namespaces tell, a line for each step; uids in ``known`` are left out."""
    steps = sorted(_steps(cluster, namespaces, known), key=lambda step: (step.at, step.order))
    begin = steps[0].at if steps else 0
    lines = []
    for (at, who, reason, kind), group in groupby(steps, key=lambda step: (step.at, step.who, step.reason, step.kind)):
        lines.append(f"{_after(at - begin):>8}  {_told(who, reason, kind, list(group))}")
    left = len(lines) - STEPS
    if left > 0:
        lines[STEPS:] = [f"{'':>8}  ... and {left} more step{'s' if left > 1 else ''}"]
    return lines


def story(runner: Runner, exercise: Exercise, judgement: Judgement) -> list[str]:
    """The debrief of a judgement: what happened after the answer came; nothing if its cluster is gone."""
    if judgement.cluster is None or Capability.FORK not in judgement.cluster.capabilities:
        return []
    before = runner.prepared(exercise).cluster
    return debrief(judgement.cluster, exercise.namespaces, uids(before, exercise.namespaces))


def uids(cluster: Cluster, namespaces: Sequence[str]) -> frozenset[str]:
    """The uids of the events that there are already."""
    return frozenset(event["metadata"]["uid"] for name in namespaces for event in cluster.list("Event", name))


def _steps(cluster: Cluster, namespaces: Sequence[str], known: frozenset[str]) -> Iterator[_Step]:
    for namespace in namespaces:
        nodes = {pod["metadata"]["name"]: pod["spec"].get("nodeName", "") for pod in cluster.list("Pod", namespace)}
        for event in cluster.list("Event", namespace):
            about = event["involvedObject"]
            when = event.get("eventTime") or event.get("firstTimestamp")
            if event["metadata"]["uid"] in known or event["reason"] in LEFT_OUT or not when:
                continue
            who = event.get("reportingComponent") or event.get("source", {}).get("component") or "somebody"
            node = nodes.get(about["name"], "") if event["reason"] == "Scheduled" else ""
            order = int(event["metadata"]["resourceVersion"])
            yield _Step(_seconds(when), order, who, event["reason"], about["kind"], about["name"], node)


def _told(who: str, reason: str, kind: str, steps: Sequence[_Step]) -> str:
    verb, after = TOLD.get(reason, (f"reported {reason} about", ""))
    times = "a Pod" if len(steps) == 1 else f"{len(steps)} Pods"
    names = list(dict.fromkeys(step.name for step in steps))
    kinds = kind if len(names) == 1 else f"{kind}s"
    what = f"{kinds} {' and '.join(names)}" if len(names) <= NAMED else f"{len(names)} {kinds}"
    nodes = ", ".join(dict.fromkeys(step.node for step in steps if step.node))
    return " ".join(filter(None, [f"the {who}", verb.format(times=times), what, after, f"({nodes})" if nodes else ""]))


def _seconds(when: str) -> int:
    return int(datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp())


def _after(seconds: int) -> str:
    return "at once" if seconds < 1 else f"+{seconds} s"
