"""The pods of a Job: as many as are wanted, no more than one for each index.

Source: ``manageJob`` of pkg/controller/job/job_controller.go.
"""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.errors import NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import object_key
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.job import indexes, per_index, rules
from autograder.controlplane.kube_controller_manager.job.tally import TRACKING, Tally, is_tracked, without_tracking
from autograder.controlplane.kube_controller_manager.pod_control import slow_start
from autograder.controlplane.kube_controller_manager.pod_maker import PodMaker
from autograder.controlplane.kube_controller_manager.refusals import is_of_terminating_namespace

#: No more pods are created or deleted in one round.
MOST_PODS: Final = 500


class Managed(NamedTuple):
    """How many pods are active now, which were deleted, and what was refused first."""

    active: int
    gone: list[Object]
    failure: StatusError | None


class PodManager:
    """Creates and deletes the pods of one Job, for the length of one round."""

    def __init__(self, controller: PodMaker, key: str, tally: Tally) -> None:
        self._controller = controller
        self._key = key
        self._tally = tally
        self._job = tally.job
        self._spec: Object = tally.job["spec"]
        self._now = controller.clock.now

    def manage(self, succeeded: int, reached: set[int], failures: rules.Failures) -> Managed:
        """Bring the number of active pods to what is wanted, with so many completions, and these, ``reached``."""
        wanted = self._wanted(succeeded)
        surplus = 0 if wanted is None else len(self._tally.active) - wanted
        doomed = self._surplus_pods(max(0, surplus))[:MOST_PODS]
        gone: list[Object] = []
        failure: StatusError | None = None
        if doomed:
            self._controller.expectations.expect(self._key, deletions=map(object_key, doomed))
            gone, failure = self.delete(doomed, let_go=True)
        active = len(self._tally.active) - len(gone)
        if failure or wanted is None:
            return Managed(active, gone, failure)
        leaving = sum(map(podlib.is_terminating, self._tally.pods)) if rules.replaces_only_failed(self._job) else 0
        missing = min(wanted - active - leaving, MOST_PODS)
        if missing > 0:
            wait = 0 if per_index.applies(self._job) else rules.wait_after(failures, self._now)
            if wait > 0:
                self._controller.queue.add_after(self._key, wait)
            else:
                created, failure = self._create(missing, reached)
                active += created
        return Managed(active, gone, failure)

    def _wanted(self, succeeded: int) -> int | None:
        """How many pods shall be active; None to leave it at what there is."""
        if self._spec.get("suspend"):
            return 0
        parallelism: int = self._spec.get("parallelism", 1)
        if "completions" in self._spec:
            return max(0, min(self._spec["completions"] - succeeded, parallelism))
        return None if succeeded else parallelism

    def _surplus_pods(self, count: int) -> list[Object]:
        """Active pods to delete: all that share an index with another or have none, and the least useful others."""
        doomed: list[Object] = []
        rest = self._tally.active
        if rules.is_indexed(self._job):
            seen: set[int] = set()
            rest = []
            for pod in self._tally.active:
                index = self._tally.index_of(pod)
                (doomed if index is None or index in seen else rest).append(pod)
                seen |= {index} if index is not None else set()
        ordered = podlib.in_order_of_deletion(rest, {}, self._now)
        return doomed + ordered[: max(0, count - len(doomed))]

    def delete(self, pods: list[Object], *, let_go: bool = False) -> tuple[list[Object], StatusError | None]:
        """Delete pods; those to ``let_go`` need not be counted.  Returns those that are gone and the first refusal."""
        gone: list[Object] = []
        failure: StatusError | None = None
        controller = self._controller
        for pod in pods:
            meta = pod["metadata"]
            try:
                if let_go and is_tracked(pod):
                    controller.client.patch(PODS, meta["namespace"], meta["name"], without_tracking(pod))
                controller.pod_control.delete(self._job, pod)
            except StatusError as error:
                controller.expectations.deletion_observed(self._key, object_key(pod))
                if not isinstance(error, NotFound):
                    failure = failure or error
                    continue
            gone.append(pod)
        return gone, failure

    def _create(self, count: int, reached: set[int]) -> tuple[int, StatusError | None]:
        """Create pods, slowly at first; returns how many there are of them, and the first refusal."""
        template = self._spec["template"]
        meta = template.get("metadata", {})
        finalizers = [*meta.get("finalizers", ()), TRACKING]
        template = {"metadata": {**meta, "finalizers": finalizers}, "spec": template["spec"]}
        create = self._controller.pod_control.create_from_template
        if rules.is_indexed(self._job):
            calls = [
                partial(create, self._job, self._template_of(template, one), generateName=self._prefix(one))
                for one in self._pending_indexes(count, reached)
            ]
        else:
            calls = [partial(create, self._job, template)] * count
        self._controller.expectations.expect(self._key, creations=len(calls))
        queue = iter(calls)
        quiet = 0

        def next_one() -> None:
            nonlocal quiet
            try:
                next(queue)()
            except StatusError as error:
                if not is_of_terminating_namespace(error):
                    raise
                quiet += 1

        done, failure = slow_start(len(calls), next_one)
        self._controller.expectations.creation_observed(self._key, len(calls) - done + quiet)
        return done - quiet, failure

    def _prefix(self, index: int) -> str:
        return indexes.name_prefix(self._job["metadata"]["name"], index)

    def _template_of(self, template: Object, index: int) -> Object:
        template = indexes.template_of(self._job, template, index)
        if per_index.applies(self._job):
            return per_index.with_counts(self._job, template, self._tally.held.get(index))
        return template

    def _pending_indexes(self, count: int, reached: set[int]) -> list[int]:
        """The first indexes that are to be tried now; those that must wait are looked at again in time."""
        tally = self._tally
        taken = reached | tally.given_up | tally.indexes_of(tally.active)
        pending = [index for index in range(self._spec["completions"]) if index not in taken][:count]
        waits = {index: per_index.wait_for(tally.held.get(index), self._now) for index in pending}
        ready = [index for index in pending if not waits[index]]
        if pending and not ready:
            self._controller.queue.add_after(self._key, min(waits.values()))
        return ready
