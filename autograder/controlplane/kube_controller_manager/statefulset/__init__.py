"""The StatefulSet controller: pods with names that last, in order, each with its own claims.

``identity`` says who the pods are, ``round`` what is done with them, ``pod_control`` does it; here are their revisions
and status.
Source: pkg/controller/statefulset.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.errors import AlreadyExists
from autograder.controlplane.apimachinery.scheme import (
    CONTROLLERREVISIONS,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    STATEFULSETS,
)
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_namespace, object_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import history
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.ownership import RefManager, concerned
from autograder.controlplane.kube_controller_manager.statefulset.identity import (
    name_of,
    ordinal,
    parent_of,
    revision_of,
)
from autograder.controlplane.kube_controller_manager.statefulset.pod_control import StatefulPodControl
from autograder.controlplane.kube_controller_manager.statefulset.round import Round


class StatefulSetController(Controller):
    """Keeps the pods of every StatefulSet, one step at a time."""

    name = "statefulset-controller"
    service_account = "statefulset-controller"
    event_source = "statefulset-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.sets = self.informers.informer(STATEFULSETS, namespace=by_namespace)
        self.revisions = self.informers.informer(CONTROLLERREVISIONS, namespace=by_namespace)
        claims = self.informers.informer(PERSISTENTVOLUMECLAIMS)
        self.pods = self.informers.informer(PODS, **{podlib.BY_OWNER: podlib.by_owner})
        self.pod_control = StatefulPodControl(self.client, self.recorder, claims)

    def subscriptions(self) -> Subscriptions:
        return {self.sets: self.on_set, self.pods: self.on_pod}

    def on_set(self, delta: Delta) -> None:
        self.queue.add(object_key(delta.object))

    def on_pod(self, delta: Delta) -> None:
        self.queue.add(*concerned(self.sets, delta))

    def reconcile(self, key: str) -> None:
        stateful_set = self.sets.get_by_key(key)
        if stateful_set is None or "deletionTimestamp" in stateful_set["metadata"]:
            # The garbage collector takes what is left, and would take back whatever is made now.
            return
        selector = selectors.of_object(stateful_set["spec"]["selector"])
        meta = stateful_set["metadata"]
        candidates = self.revisions.by_index("namespace", meta["namespace"])
        revisions = RefManager(self.client, STATEFULSETS, stateful_set, selector, CONTROLLERREVISIONS).claim(candidates)
        known = podlib.owned_and_orphans(self.pods, stateful_set)
        members = [pod for pod in known if parent_of(pod) == meta["name"]]
        pods = RefManager(self.client, STATEFULSETS, stateful_set, selector, PODS).claim(members)
        current, update, collisions = self._sync_revisions(stateful_set, history.in_order(revisions))
        in_order = sorted(pods, key=ordinal)
        round_ = Round(self.pod_control, stateful_set, current, update, in_order, self.clock.now)
        try:
            round_.run()
        finally:
            self._write_status(key, round_, collisions)
        self._truncate_history(stateful_set, pods, history.in_order(revisions), {name_of(current), name_of(update)})

    # ------------------------------------------------------------ revisions

    def _sync_revisions(self, stateful_set: Object, revisions: list[Object]) -> tuple[Object, Object, int]:
        """The revision that pods have, the one that they shall have, and how often a hash has collided."""
        status = stateful_set.get("status", {})
        collisions: int = status.get("collisionCount", 0)
        same = [one for one in revisions if history.keeps_template_of(one, stateful_set)]
        number = revisions[-1]["revision"] + 1 if revisions else 1
        if same and same[-1] is revisions[-1]:
            update = same[-1]
        elif same:
            update = history.renumber(self.client, same[-1], number)
        else:
            update, collisions = self._create_revision(stateful_set, number, collisions)
        current = next((one for one in revisions if name_of(one) == status.get("currentRevision")), update)
        return current, update, collisions

    def _create_revision(self, stateful_set: Object, number: int, collisions: int) -> tuple[Object, int]:
        while True:
            digest = history.revision_hash(history.patch_of(stateful_set), collisions)
            wanted = history.new_revision(stateful_set, digest, number)
            namespace = wanted["metadata"]["namespace"]
            try:
                return self.client.create(CONTROLLERREVISIONS, namespace, wanted), collisions
            except AlreadyExists:
                found = self.client.get(CONTROLLERREVISIONS, namespace, wanted["metadata"]["name"])
                if found["data"] == wanted["data"]:
                    return found, collisions
                collisions += 1

    def _truncate_history(
        self, stateful_set: Object, pods: list[Object], revisions: list[Object], live: set[str]
    ) -> None:
        """Delete the oldest revisions beyond ``revisionHistoryLimit`` that nothing is of."""
        live = live | {revision_of(pod) for pod in pods}
        unused = [one for one in revisions if name_of(one) not in live]
        limit = stateful_set["spec"].get("revisionHistoryLimit", 10)
        for one in unused[: max(0, len(unused) - limit)]:
            self.client.delete(CONTROLLERREVISIONS, one["metadata"]["namespace"], name_of(one))

    # ------------------------------------------------------------ status

    def _write_status(self, key: str, round_: Round, collisions: int) -> None:
        stateful_set = round_.stateful_set
        spec, before = stateful_set["spec"], stateful_set.get("status", {})
        counts = round_.counts()
        revision = {"currentRevision": name_of(round_.current), "updateRevision": name_of(round_.update)}
        wanted = spec.get("replicas", 1)
        done = all(counts[field] == wanted for field in ("updatedReplicas", "readyReplicas", "replicas"))
        if done and round_.is_rolling:
            counts["currentReplicas"] = counts["updatedReplicas"]
            revision["currentRevision"] = revision["updateRevision"]
        status: Object = {"replicas": counts.pop("replicas"), "availableReplicas": counts.pop("availableReplicas")}
        status |= compact({"observedGeneration": stateful_set["metadata"].get("generation", 0), **counts})
        status |= revision
        status["collisionCount"] = collisions
        if "conditions" in before:
            status["conditions"] = before["conditions"]
        if status != before:
            self.client.update(STATEFULSETS, {**stateful_set, "status": status}, "status")
        wait = spec.get("minReadySeconds", 0)
        if wait and status.get("readyReplicas", 0) != status["availableReplicas"]:
            next_one = podlib.next_availability(round_.pods, wait, self.clock.now)
            self.queue.add_after(key, next_one or wait * SECOND)
