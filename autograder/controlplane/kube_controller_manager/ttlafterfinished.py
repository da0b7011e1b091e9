"""The TTL-after-finished controller: Jobs that have ended are deleted when their ``ttlSecondsAfterFinished`` is over.

Source: pkg/controller/ttlafterfinished.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import JOBS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, object_key, split_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.conditions import since
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.job import rules


class TTLAfterFinishedController(Controller):
    """Deletes finished Jobs in time."""

    name = "ttl-after-finished-controller"
    service_account = "ttl-after-finished-controller"
    event_source = "ttl-after-finished-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.jobs = self.informers.informer(JOBS)

    def subscriptions(self) -> Subscriptions:
        return {self.jobs: self.on_job}

    def on_job(self, delta: Delta) -> None:
        if delta.new is not None and _expiry(delta.new) is not None:
            self.queue.add(object_key(delta.new))

    def reconcile(self, key: str) -> None:
        job = self.jobs.get_by_key(key)
        expiry = _expiry(job) if job else None
        if job is None or expiry is None:
            return
        if expiry > self.clock.now:
            self.queue.add_after(key, expiry - self.clock.now)
            return
        meta = job["metadata"]
        namespace, name = split_key(key)
        try:
            self.client.delete(
                JOBS, namespace, name, uid=meta["uid"], resource_version=meta["resourceVersion"],
                propagation="Foreground",
            )  # fmt: skip
        except NotFound:
            return


def _expiry(job: Object) -> int | None:
    """When the Job is to go, in microseconds; None while it runs, is going, or may stay."""
    lifetime = job["spec"].get("ttlSecondsAfterFinished")
    ended = rules.standing(job, "Complete") or rules.standing(job, "Failed")
    if lifetime is None or ended is None or "deletionTimestamp" in job["metadata"]:
        return None
    return since(ended) + int(lifetime) * SECOND
