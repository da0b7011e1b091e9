"""The Deployment controller: rollouts by way of ReplicaSets, one for each revision of the pod template.

``arithmetic`` says how many pods each ReplicaSet may have, ``revisions`` which one is new and what it is numbered,
``status`` what the Deployment tells, and ``rollout`` acts.  Source: pkg/controller/deployment.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.scheme import DEPLOYMENTS, PODS, REPLICASETS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_namespace, object_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.deployment import arithmetic, revisions
from autograder.controlplane.kube_controller_manager.deployment.rollout import Rollout
from autograder.controlplane.kube_controller_manager.ownership import RefManager, concerned, controller_among

__all__ = ["DeploymentController"]


class DeploymentController(Controller):
    """Rolls every Deployment out."""

    name = "deployment-controller"
    service_account = "deployment-controller"
    event_source = "deployment-controller"
    max_retries = 15

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.deployments = self.informers.informer(DEPLOYMENTS, namespace=by_namespace)
        self.replica_sets = self.informers.informer(REPLICASETS, namespace=by_namespace)
        self.pods = self.informers.informer(PODS, **{podlib.BY_OWNER: podlib.by_owner})

    def subscriptions(self) -> Subscriptions:
        return {self.deployments: self.on_deployment, self.replica_sets: self.on_replica_set, self.pods: self.on_pod}

    def on_deployment(self, delta: Delta) -> None:
        self.queue.add(object_key(delta.object))

    def on_replica_set(self, delta: Delta) -> None:
        self.queue.add(*concerned(self.deployments, delta))

    def on_pod(self, delta: Delta) -> None:
        """The last old pod is gone: a Deployment that recreates its pods waits for that."""
        if delta.new is not None:
            return
        replica_set = controller_among(self.replica_sets, delta.object)
        deployment = controller_among(self.deployments, replica_set) if replica_set else None
        if deployment and not arithmetic.is_rolling(deployment):
            self.queue.add(object_key(deployment))

    def reconcile(self, key: str) -> None:
        deployment = self.deployments.get_by_key(key)
        if deployment is None:
            return
        selector = selectors.of_object(deployment["spec"]["selector"])
        if selector.empty:
            self._refuse(deployment)
            return
        candidates = self.replica_sets.by_index("namespace", deployment["metadata"]["namespace"])
        owned = RefManager(self.client, DEPLOYMENTS, deployment, selector, REPLICASETS).claim(candidates)
        rollout = Rollout(self.client, self.recorder, self.clock, deployment, owned)
        if "deletionTimestamp" in deployment["metadata"]:
            rollout.report()
            return
        rollout.note_pause()
        if deployment["spec"].get("paused"):
            rollout.scale()
        elif revisions.rollback_to(deployment) is not None:
            rollout.roll_back()
        elif rollout.is_scaling():
            rollout.scale()
        elif arithmetic.is_rolling(deployment):
            rollout.roll()
        else:
            rollout.recreate({uid: self.pods.by_index(podlib.BY_OWNER, uid) for uid in _uids(owned)})
        self._plan_deadline(key, rollout)

    def _refuse(self, deployment: Object) -> None:
        message = "This deployment is selecting all pods. A non-empty selector is required."
        self.recorder.event(deployment, "Warning", "SelectingAll", message)
        generation = deployment["metadata"].get("generation", 0)
        status = deployment.get("status", {})
        if status.get("observedGeneration", 0) < generation:
            observed = {**deployment, "status": {**status, "observedGeneration": generation}}
            self.client.update(DEPLOYMENTS, observed, "status")

    def _plan_deadline(self, key: str, rollout: Rollout) -> None:
        """Look again when the rollout is due to time out; a finished one needs no look."""
        left = rollout.time_left()
        if left is None:
            self.queue.cancel(key)
        else:
            self.queue.add_after(key, max(left, 0) + SECOND)


def _uids(objects: list[Object]) -> list[str]:
    return [one["metadata"]["uid"] for one in objects]
