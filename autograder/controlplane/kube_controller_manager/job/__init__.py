"""The Job controller: pods that run to their end, as often as it takes.

A finalizer keeps every pod until it has been counted, so that none is lost and none counts twice.  ``rules`` decides;
``round`` is one look at one Job: ``tally`` counts its pods, ``managing`` creates and deletes them, ``indexes`` numbers
completions.  Source: pkg/controller/job.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import JOBS, PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_namespace, object_key, split_key
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.controller import ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.job import rules
from autograder.controlplane.kube_controller_manager.job.round import Round
from autograder.controlplane.kube_controller_manager.job.tally import TRACKING, is_tracked, without_tracking
from autograder.controlplane.kube_controller_manager.ownership import RefManager, controller_among, controller_of
from autograder.controlplane.kube_controller_manager.pod_maker import PodMaker

__all__ = ["JobController"]

#: Begins the queue keys of pods whose Job is gone.
ORPHAN: Final = "orphan "


class JobController(PodMaker):
    """Runs every Job to its end."""

    name = "job-controller"
    service_account = "job-controller"
    event_source = "job-controller"
    STATE = ("failures",)

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.jobs = self.informers.informer(JOBS, namespace=by_namespace)
        self.pods = self.informers.informer(PODS, **{podlib.BY_OWNER: podlib.by_owner})
        self.failures: dict[str, rules.Failures] = {}

    def subscriptions(self) -> Subscriptions:
        return {self.jobs: self.on_job, self.pods: self.on_pod}

    def on_job(self, delta: Delta) -> None:
        self.queue.add(object_key(delta.object))
        if delta.new is None:
            for pod in self.pods.by_index(podlib.BY_OWNER, delta.object["metadata"]["uid"]):
                self._enqueue_orphan(pod)

    def on_pod(self, delta: Delta) -> None:
        self.hear_of_pod(self.jobs, delta)
        if delta.new is not None and controller_among(self.jobs, delta.new) is None:
            reference = controller_of(delta.new)
            if reference is None or reference["kind"] == JOBS.kind:
                self._enqueue_orphan(delta.new)

    def _enqueue_orphan(self, pod: Object) -> None:
        if is_tracked(pod):
            self.queue.add(ORPHAN + object_key(pod))

    def reconcile(self, key: str) -> None:
        if key.startswith(ORPHAN):
            self._let_go(key.removeprefix(ORPHAN))
            return
        job = self.jobs.get_by_key(key)
        if job is None:
            self.expectations.forget(key)
        if job is None or rules.is_finished(job):
            self.failures.pop(key, None)
            return
        Round(self, self.failures, key, job, self._pods_of(job)).run()

    def _pods_of(self, job: Object) -> list[Object]:
        known = podlib.owned_and_orphans(self.pods, job)
        selector = selectors.of_object(job["spec"]["selector"])
        return RefManager(self.client, JOBS, job, selector, PODS, (TRACKING,)).claim(known)

    def _let_go(self, key: str) -> None:
        """Nobody will count this pod any more."""
        namespace, name = split_key(key)
        pod = self.pods.get_by_key(key)
        if pod is None or controller_among(self.jobs, pod) is not None:
            return
        try:
            self.client.patch(PODS, namespace, name, without_tracking(pod))
        except NotFound:
            return
