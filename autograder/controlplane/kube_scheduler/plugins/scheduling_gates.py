"""SchedulingGates: a pod with ``spec.schedulingGates`` is not looked at until all of them are gone."""

from __future__ import annotations

from autograder.controlplane.kube_scheduler.events import Action, Interest, Resource, is_own
from autograder.controlplane.kube_scheduler.node_info import PodInfo
from autograder.controlplane.kube_scheduler.status import Status, unresolvable


class SchedulingGates:
    """See the module."""

    name = "SchedulingGates"

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        """Keep a gated pod out of the queue."""
        gates = [gate["name"] for gate in pod.spec.get("schedulingGates") or ()]
        return unresolvable(f"waiting for scheduling gates: [{' '.join(gates)}]") if gates else None

    def interests(self) -> tuple[Interest, ...]:
        """The pod's own gates are gone."""
        return (Interest((Resource.UNSCHEDULED_POD,), Action.POD_GATES_GONE, is_own),)
