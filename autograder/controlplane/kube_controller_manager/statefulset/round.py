"""One look at the pods of a StatefulSet: which shall be, which are condemned, and what is done next.

Source: pkg/controller/statefulset/stateful_set_control.go.
"""

from __future__ import annotations

from collections.abc import Callable

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_controller_manager import history
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.pod_control import slow_start
from autograder.controlplane.kube_controller_manager.statefulset.identity import (
    is_running_and_ready,
    name_of,
    new_pod,
    ordinal,
    revision_of,
)
from autograder.controlplane.kube_controller_manager.statefulset.pod_control import StatefulPodControl

#: Does something about one pod; True when nothing more may be done in this round.
Step = Callable[[Object], bool]


class Round:
    """One look at the pods, in the order of their ordinals, with the revisions that they have and shall have."""

    def __init__(
        self,
        control: StatefulPodControl,
        stateful_set: Object,
        current: Object,
        update: Object,
        pods: list[Object],
        now: int,
    ) -> None:
        self._control = control
        self._now = now
        self.stateful_set = stateful_set
        self.current, self.update = current, update
        self.pods = pods
        spec = stateful_set["spec"]
        self._wait: int = spec.get("minReadySeconds", 0)
        strategy = spec.get("updateStrategy", {})
        self.is_rolling = strategy.get("type", "RollingUpdate") == "RollingUpdate"
        rolling = strategy.get("rollingUpdate")
        self._partition: int | None = None if rolling is None else rolling.get("partition", 0)
        self._in_order = spec.get("podManagementPolicy", "OrderedReady") != "Parallel"
        first = spec.get("ordinals", {}).get("start", 0)
        self._wanted = range(first, first + spec.get("replicas", 1))
        present = {ordinal(pod): pod for pod in pods}
        self._replicas = [present.get(number) or self._new_pod(number) for number in self._wanted]
        self._condemned = [pod for pod in reversed(pods) if ordinal(pod) not in self._wanted]
        unhealthy = [pod for pod in [*self._replicas, *reversed(self._condemned)] if self._is_unavailable(pod)]
        self._first_unhealthy = unhealthy[0] if unhealthy else None
        self._deleted_current = 0

    def counts(self) -> dict[str, int]:
        """The numbers of the status."""
        created = [pod for pod in self.pods if podlib.phase(pod)]
        ready = [pod for pod in created if is_running_and_ready(pod)]
        staying = [pod for pod in created if "deletionTimestamp" not in pod["metadata"]]
        return {
            "replicas": len(created),
            "readyReplicas": len(ready),
            "currentReplicas": sum(revision_of(pod) == name_of(self.current) for pod in staying)
            - self._deleted_current,
            "updatedReplicas": sum(revision_of(pod) == name_of(self.update) for pod in staying),
            "availableReplicas": sum(podlib.is_available(pod, self._wait, self._now) for pod in ready),
        }

    def run(self) -> None:
        """Take the next steps: replicas from the first to the last, then the condemned, then the update."""
        if self._for_each(self._replicas, self._process_replica):
            return
        for pod in self._condemned:
            self._control.keep_claims(self.stateful_set, pod, condemned=True)
        if self._for_each(self._condemned, self._process_condemned):
            return
        if self.is_rolling:
            self._update_next()

    def _for_each(self, pods: list[Object], step: Step) -> bool:
        """Take a step for each pod; in order, the first one that is not done ends the round.  True if it has ended."""
        if self._in_order:
            return any(step(pod) for pod in pods)
        waiting = iter(pods)
        _, failure = slow_start(len(pods), lambda: _discard(step(next(waiting))))
        if failure:
            raise failure
        return False

    def _process_replica(self, pod: Object) -> bool:
        control, stateful_set = self._control, self.stateful_set
        if podlib.is_terminal(pod):
            if "deletionTimestamp" not in pod["metadata"]:
                control.delete_pod(stateful_set, pod)
            return True
        if not podlib.phase(pod):
            control.create_pod(stateful_set, pod)
            if self._in_order:
                return True
        elif podlib.phase(pod) == "Pending":
            control.create_claims(stateful_set, pod)
        if self._in_order and (not is_running_and_ready(pod) or self._is_unavailable(pod)):
            return True
        control.keep_claims(stateful_set, pod, condemned=False)
        if podlib.phase(pod):
            control.restore_identity(pod)
        return False

    def _process_condemned(self, pod: Object) -> bool:
        if "deletionTimestamp" in pod["metadata"]:
            return self._in_order
        if self._in_order and pod is not self._first_unhealthy:
            if not is_running_and_ready(pod) or self._is_unavailable(pod):
                return True
        self._control.delete_pod(self.stateful_set, pod)
        return True

    def _update_next(self) -> None:
        """Delete the last pod of an old revision, once those after it are available again."""
        for pod in reversed(self._replicas[self._partition or 0 :]):
            if revision_of(pod) != name_of(self.update) and "deletionTimestamp" not in pod["metadata"]:
                self._control.delete_pod(self.stateful_set, pod)
                self._deleted_current = 1
                return
            if self._is_unavailable(pod):
                return

    def _is_unavailable(self, pod: Object) -> bool:
        available = podlib.is_available(pod, self._wait, self._now)
        return not available or "deletionTimestamp" in pod["metadata"]

    def _new_pod(self, number: int) -> Object:
        """A pod for an ordinal: of the present revision below the partition, of the new one from there on."""
        first = self._wanted.start
        present = self.stateful_set.get("status", {}).get("currentReplicas", 0)
        old_ones = first + (present if self._partition is None else self._partition)
        revision = self.current if self.is_rolling and number < old_ones else self.update
        return new_pod(self.stateful_set, history.template_in(revision), name_of(revision), number)


def _discard(_: object) -> None:
    """Take a result that says nothing where order does not matter."""
