"""The ReplicaSet controller: as many pods as wanted, no more and no fewer.

Pods belong to a ReplicaSet by their controller reference; its selector says which orphans it adopts and which of its
own it lets go.  Source: pkg/controller/replicaset.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Final

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import PODS, REPLICASETS, ResourceType
from autograder.controlplane.apimachinery.selectors import LabelSelector
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_namespace, object_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.conditions import find, with_new, without
from autograder.controlplane.kube_controller_manager.controller import ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.ownership import (
    RefManager,
    by_controller,
    controller_of,
    is_controlled_by,
    selector_of,
)
from autograder.controlplane.kube_controller_manager.pod_control import slow_start
from autograder.controlplane.kube_controller_manager.pod_maker import PodMaker
from autograder.controlplane.kube_controller_manager.refusals import is_of_terminating_namespace

#: The most pods that are created or deleted in one go.
BURST: Final = 500


class ReplicaSetController(PodMaker):
    """Keeps the number of pods of every ReplicaSet."""

    name = "replicaset-controller"
    service_account = "replicaset-controller"
    event_source = "replicaset-controller"

    #: The kind that is looked after; ReplicationControllers are looked after in the same way.
    KIND: ClassVar[ResourceType] = REPLICASETS
    #: Whether the status has ``terminatingReplicas``.
    COUNTS_TERMINATING: ClassVar[bool] = True

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.sets = self.informers.informer(self.KIND, namespace=by_namespace, controller=by_controller)
        self.pods = self.informers.informer(PODS, **{podlib.BY_OWNER: podlib.by_owner})

    def subscriptions(self) -> Subscriptions:
        return {self.sets: self.on_set, self.pods: self.on_pod}

    def selector(self, replica_set: Object) -> LabelSelector:
        """Which pods the set is about."""
        return selector_of(replica_set)

    def on_set(self, delta: Delta) -> None:
        key = object_key(delta.object)
        replaced = delta.old and delta.new and delta.old["metadata"]["uid"] != delta.new["metadata"]["uid"]
        if delta.new is None or replaced:
            self.expectations.forget(key)
        self.queue.add(key)

    def on_pod(self, delta: Delta) -> None:
        self.hear_of_pod(self.sets, delta, self.selector)

    def reconcile(self, key: str) -> None:
        replica_set = self.sets.get_by_key(key)
        if replica_set is None:
            self.expectations.forget(key)
            return
        selector = self.selector(replica_set)
        known = podlib.owned_and_orphans(self.pods, replica_set)
        candidates = [pod for pod in known if podlib.is_active(pod)]
        active = RefManager(self.client, self.KIND, replica_set, selector, PODS).claim(candidates)
        terminating = sum(
            podlib.is_terminating(pod)
            and is_controlled_by(pod, replica_set)
            and selector.matches(pod["metadata"].get("labels"))
            for pod in known
        )
        failure: StatusError | None = None
        if self.expectations.satisfied(key) and "deletionTimestamp" not in replica_set["metadata"]:
            try:
                self._manage(key, replica_set, active)
            except StatusError as error:
                failure = error
        status = self._status(replica_set, active, terminating, failure)
        self._write_status(replica_set, status)
        if failure:
            raise failure
        self._plan_availability(key, replica_set, active, status)

    def _manage(self, key: str, replica_set: Object, active: list[Object]) -> None:
        """Create the missing pods or delete the surplus; raises the first refusal."""
        surplus = len(active) - replica_set["spec"].get("replicas", 1)
        if surplus < 0:
            self._create(key, replica_set, min(-surplus, BURST))
        elif surplus > 0:
            self._delete(key, replica_set, active, min(surplus, BURST))

    def _create(self, key: str, replica_set: Object, count: int) -> None:
        self.expectations.expect(key, creations=count)
        template = replica_set["spec"]["template"]

        def create() -> None:
            try:
                self.pod_control.create_from_template(replica_set, template)
            except StatusError as error:
                # In a namespace that is going away every creation fails, and nothing can be done about it.
                if not is_of_terminating_namespace(error):
                    raise

        done, failure = slow_start(count, create)
        if done < count:
            self.expectations.creation_observed(key, count - done)
        if failure:
            raise failure

    def _delete(self, key: str, replica_set: Object, active: list[Object], count: int) -> None:
        victims = active
        if count < len(active):
            victims = podlib.in_order_of_deletion(active, self._pods_per_node(replica_set), self.clock.now)[:count]
        self.expectations.expect(key, deletions=map(object_key, victims))
        if failure := self.pod_control.delete_expected(replica_set, victims, self.expectations, key):
            raise failure

    def _pods_per_node(self, replica_set: Object) -> Counter[str]:
        """Active pods on each node that are of this set or of others of the same owner, as in a rollout."""
        reference = controller_of(replica_set)
        related = self.sets.by_index("controller", reference["uid"]) if reference else []
        found: dict[str, Object] = {}
        for one in related:
            for pod in self.pods.by_index(podlib.BY_OWNER, one["metadata"]["uid"]):
                found[pod["metadata"]["uid"]] = pod
        return Counter(pod["spec"].get("nodeName", "") for pod in found.values() if podlib.is_active(pod))

    def _status(
        self, replica_set: Object, active: list[Object], terminating: int, failure: StatusError | None
    ) -> Object:
        spec, before = replica_set["spec"], replica_set.get("status", {})
        template_labels = selectors.of_map(spec["template"].get("metadata", {}).get("labels"))
        ready = [pod for pod in active if podlib.is_ready(pod)]
        wait = spec.get("minReadySeconds", 0)
        conditions = before.get("conditions", [])
        known_failure = find(conditions, "ReplicaFailure")
        if failure and not known_failure:
            conditions = with_new(
                conditions,
                {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "lastTransitionTime": self.now,
                    "reason": "FailedCreate" if len(active) < spec.get("replicas", 1) else "FailedDelete",
                    "message": failure.message,
                },
            )
        elif known_failure and not failure:
            conditions = without(conditions, "ReplicaFailure")
        status: Object = {"replicas": len(active)} | compact(
            {
                "fullyLabeledReplicas": sum(template_labels.matches(pod["metadata"].get("labels")) for pod in active),
                "readyReplicas": len(ready),
                "availableReplicas": sum(podlib.is_available(pod, wait, self.clock.now) for pod in ready),
                "observedGeneration": before.get("observedGeneration", 0),
                "conditions": conditions,
            }
        )
        if self.COUNTS_TERMINATING:
            status["terminatingReplicas"] = terminating
        return status

    def _write_status(self, replica_set: Object, status: Object) -> None:
        generation = replica_set["metadata"].get("generation", 0)
        if status != replica_set.get("status") or generation != status.get("observedGeneration", 0):
            status = status | compact({"observedGeneration": generation})
            self.client.update(self.KIND, {**replica_set, "status": status}, "status")

    def _plan_availability(self, key: str, replica_set: Object, active: list[Object], status: Object) -> None:
        """Look again when the next ready pod has been ready for long enough."""
        wait = replica_set["spec"].get("minReadySeconds", 0)
        if wait and status.get("readyReplicas", 0) != status.get("availableReplicas", 0):
            self.queue.add_after(key, podlib.next_availability(active, wait, self.clock.now) or wait * SECOND)
