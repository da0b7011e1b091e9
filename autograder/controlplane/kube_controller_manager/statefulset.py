"""The StatefulSet controller: pods with names that last, in order, each with its own claims.

Source: pkg/controller/statefulset.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.errors import AlreadyExists, Conflict, NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import (
    CONTROLLERREVISIONS,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    STATEFULSETS,
)
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, Informer, by_namespace, object_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import history
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.conditions import compact
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext
from autograder.controlplane.kube_controller_manager.ownership import (
    claim,
    controller_among,
    controller_of,
    would_adopt,
)
from autograder.controlplane.kube_controller_manager.pod_control import pod_from_template
from autograder.controlplane.kube_controller_manager.replicaset import slow_start

POD_NAME_LABEL: Final = "statefulset.kubernetes.io/pod-name"
INDEX_LABEL: Final = "apps.kubernetes.io/pod-index"
_ORDINAL: Final = re.compile(r"(.*)-([0-9]+)", re.ASCII)

#: Does something about one pod; True when nothing more may be done in this round.
Step = Callable[[Object], bool]


class StatefulSetController(Controller):
    """Keeps the pods of every StatefulSet, one step at a time."""

    name = "statefulset-controller"
    service_account = "statefulset-controller"
    event_source = "statefulset-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.sets = self.informers.informer(STATEFULSETS, namespace=by_namespace)
        self.revisions = self.informers.informer(CONTROLLERREVISIONS, namespace=by_namespace)
        self.claims = self.informers.informer(PERSISTENTVOLUMECLAIMS)
        self.pods = self.informers.informer(PODS, **{podlib.BY_OWNER: podlib.by_owner})

    def subscriptions(self) -> dict[Informer, str]:
        return {self.sets: "on_set", self.revisions: "on_revision", self.pods: "on_pod"}

    def on_set(self, delta: Delta) -> None:
        self.queue.add(object_key(delta.object))

    def on_revision(self, delta: Delta) -> None:
        """Revisions are read when their set is looked at."""

    def on_pod(self, delta: Delta) -> None:
        pod = delta.object
        for state in (delta.old, delta.new):
            if state is not None and (owner := controller_among(self.sets, state)):
                self.queue.add(object_key(owner))
        if controller_of(pod) is None and delta.new is not None:
            self.queue.add(*would_adopt(self.sets, pod))

    def reconcile(self, key: str) -> None:
        stateful_set = self.sets.get_by_key(key)
        if stateful_set is None or "deletionTimestamp" in stateful_set["metadata"]:
            # The garbage collector takes what is left, and would take back whatever is made now.
            return
        selector = selectors.of_object(stateful_set["spec"]["selector"])
        meta = stateful_set["metadata"]
        candidates = self.revisions.by_index("namespace", meta["namespace"])
        revisions = claim(self.client, STATEFULSETS, stateful_set, selector, CONTROLLERREVISIONS, candidates)
        known = self.pods.by_index(podlib.BY_OWNER, meta["uid"])
        orphans = self.pods.by_index(podlib.BY_OWNER, podlib.orphans_of(meta["namespace"]))
        members = [pod for pod in known + orphans if _parent(pod) == meta["name"]]
        pods = claim(self.client, STATEFULSETS, stateful_set, selector, PODS, members)
        current, update, collisions = self._sync_revisions(stateful_set, history.in_order(revisions))
        round_ = _Round(self, stateful_set, current, update, sorted(pods, key=ordinal))
        try:
            round_.run()
        finally:
            self._write_status(key, round_, collisions)
        self._truncate_history(stateful_set, pods, history.in_order(revisions), {_name(current), _name(update)})

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
        current = next((one for one in revisions if _name(one) == status.get("currentRevision")), update)
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
        unused = [one for one in revisions if _name(one) not in live]
        limit = stateful_set["spec"].get("revisionHistoryLimit", 10)
        for one in unused[: max(0, len(unused) - limit)]:
            self.client.delete(CONTROLLERREVISIONS, one["metadata"]["namespace"], _name(one))

    # ------------------------------------------------------------ status

    def _write_status(self, key: str, round_: _Round, collisions: int) -> None:
        stateful_set = round_.stateful_set
        spec, before = stateful_set["spec"], stateful_set.get("status", {})
        counts = round_.counts()
        revision = {"currentRevision": _name(round_.current), "updateRevision": _name(round_.update)}
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

    # ------------------------------------------------------------ pods and claims

    def create_pod(self, stateful_set: Object, pod: Object) -> None:
        """Create a pod after its claims."""
        try:
            self.create_claims(stateful_set, pod)
            self.client.create(PODS, pod["metadata"]["namespace"], pod)
        except AlreadyExists:
            raise
        except StatusError as error:
            self._tell("create", stateful_set, pod, error)
            raise
        self._tell("create", stateful_set, pod)

    def delete_pod(self, stateful_set: Object, pod: Object) -> None:
        """Delete a pod; its claims stay."""
        try:
            self.client.delete(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
        except NotFound:
            pass
        except StatusError as error:
            self._tell("delete", stateful_set, pod, error)
            raise
        self._tell("delete", stateful_set, pod)

    def create_claims(self, stateful_set: Object, pod: Object) -> None:
        """Create those claims of a pod that do not exist; raises ``Conflict`` for one that is being deleted."""
        namespace = stateful_set["metadata"]["namespace"]
        for wanted in claims_of(stateful_set, pod):
            name = wanted["metadata"]["name"]
            found = self.claims.get(namespace, name)
            if found is not None and "deletionTimestamp" in found["metadata"]:
                raise Conflict(f"pvc {name} is being deleted")
            if found is not None:
                continue
            subject = f"Claim {name} Pod {pod['metadata']['name']} in StatefulSet {_name(stateful_set)}"
            try:
                self.client.create(PERSISTENTVOLUMECLAIMS, namespace, wanted)
            except AlreadyExists:
                continue
            except StatusError as error:
                subject = subject.replace(" Pod ", " for Pod ", 1)
                message = f"Create {subject} failed error: {error.message}"
                self.recorder.event(stateful_set, "Warning", "FailedCreate", message)
                raise
            self.recorder.event(stateful_set, "Normal", "SuccessfulCreate", f"Create {subject} success")

    def keep_claims(self, stateful_set: Object, pod: Object, *, condemned: bool) -> None:
        """Give the claims of a pod the owners that ``persistentVolumeClaimRetentionPolicy`` asks for."""
        policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy", {})
        for wanted in claims_of(stateful_set, pod):
            found = self.claims.get(wanted["metadata"]["namespace"], wanted["metadata"]["name"])
            if found is None:
                continue
            owners: list[Object] = found["metadata"].get("ownerReferences", [])
            kept = [one for one in owners if (one["kind"], one["name"]) not in _own_references(stateful_set, pod)]
            if condemned and policy.get("whenScaled") == "Delete":
                kept.append(_reference(pod))
            elif policy.get("whenDeleted") == "Delete":
                kept.append({**_reference(stateful_set), "controller": True})
            if kept != owners:
                metadata = {key: value for key, value in found["metadata"].items() if key != "ownerReferences"}
                metadata |= compact({"ownerReferences": kept})
                self.client.update(PERSISTENTVOLUMECLAIMS, {**found, "metadata": metadata})

    def _tell(self, verb: str, stateful_set: Object, pod: Object, error: StatusError | None = None) -> None:
        subject = f"{verb.title()} Pod {pod['metadata']['name']} in StatefulSet {_name(stateful_set)}"
        if error is None:
            self.recorder.event(stateful_set, "Normal", f"Successful{verb.title()}", f"{subject} successful")
        else:
            message = f"{subject} failed error: {error.message}"
            self.recorder.event(stateful_set, "Warning", f"Failed{verb.title()}", message)


class _Round:
    """One look at the pods of a StatefulSet: the ones that shall be, the condemned ones, and what is done to them."""

    def __init__(
        self,
        controller: StatefulSetController,
        stateful_set: Object,
        current: Object,
        update: Object,
        pods: list[Object],
    ) -> None:
        self._controller = controller
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
        ready = [pod for pod in created if _is_running_and_ready(pod)]
        staying = [pod for pod in created if "deletionTimestamp" not in pod["metadata"]]
        now = self._controller.clock.now
        return {
            "replicas": len(created),
            "readyReplicas": len(ready),
            "currentReplicas": sum(revision_of(pod) == _name(self.current) for pod in staying) - self._deleted_current,
            "updatedReplicas": sum(revision_of(pod) == _name(self.update) for pod in staying),
            "availableReplicas": sum(podlib.is_available(pod, self._wait, now) for pod in ready),
        }

    def run(self) -> None:
        """Take the next steps: replicas from the first to the last, then the condemned, then the update."""
        if self._for_each(self._replicas, self._process_replica):
            return
        for pod in self._condemned:
            self._controller.keep_claims(self.stateful_set, pod, condemned=True)
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
        controller, stateful_set = self._controller, self.stateful_set
        if podlib.is_terminal(pod):
            if "deletionTimestamp" not in pod["metadata"]:
                controller.delete_pod(stateful_set, pod)
            return True
        if not podlib.phase(pod):
            controller.create_pod(stateful_set, pod)
            if self._in_order:
                return True
        elif podlib.phase(pod) == "Pending":
            controller.create_claims(stateful_set, pod)
        if self._in_order and (not _is_running_and_ready(pod) or self._is_unavailable(pod)):
            return True
        controller.keep_claims(stateful_set, pod, condemned=False)
        self._restore_identity(pod)
        return False

    def _restore_identity(self, pod: Object) -> None:
        """Labels that name the pod belong to its identity."""
        labels = pod["metadata"].get("labels", {})
        wanted = {POD_NAME_LABEL: pod["metadata"]["name"], INDEX_LABEL: str(ordinal(pod))}
        if podlib.phase(pod) and not wanted.items() <= labels.items():
            self._controller.client.update(PODS, {**pod, "metadata": {**pod["metadata"], "labels": labels | wanted}})

    def _process_condemned(self, pod: Object) -> bool:
        if "deletionTimestamp" in pod["metadata"]:
            return self._in_order
        if self._in_order and pod is not self._first_unhealthy:
            if not _is_running_and_ready(pod) or self._is_unavailable(pod):
                return True
        self._controller.delete_pod(self.stateful_set, pod)
        return True

    def _update_next(self) -> None:
        """Delete the last pod of an old revision, once those after it are available again."""
        for pod in reversed(self._replicas[self._partition or 0 :]):
            if revision_of(pod) != _name(self.update) and "deletionTimestamp" not in pod["metadata"]:
                self._controller.delete_pod(self.stateful_set, pod)
                self._deleted_current = 1
                return
            if self._is_unavailable(pod):
                return

    def _is_unavailable(self, pod: Object) -> bool:
        available = podlib.is_available(pod, self._wait, self._controller.clock.now)
        return not available or "deletionTimestamp" in pod["metadata"]

    def _new_pod(self, number: int) -> Object:
        """A pod for an ordinal: of the present revision below the partition, of the new one from there on."""
        first = self._wanted.start
        present = self.stateful_set.get("status", {}).get("currentReplicas", 0)
        old_ones = first + (present if self._partition is None else self._partition)
        revision = self.current if self.is_rolling and number < old_ones else self.update
        return new_pod(self.stateful_set, history.template_in(revision), _name(revision), number)


def new_pod(stateful_set: Object, template: Object, revision: str, number: int) -> Object:
    """The pod of an ordinal, with its name, host name and claims."""
    name = f"{_name(stateful_set)}-{number}"
    pod = pod_from_template(template, stateful_set, name=name)
    own = {POD_NAME_LABEL: name, INDEX_LABEL: str(number), history.HASH_LABEL: revision}
    labels = {**pod["metadata"].get("labels", {}), **own}
    spec = {**pod["spec"], "hostname": name, **compact({"subdomain": stateful_set["spec"].get("serviceName", "")})}
    templates = stateful_set["spec"].get("volumeClaimTemplates", ())
    if templates:
        claimed = {one["metadata"]["name"]: f"{one['metadata']['name']}-{name}" for one in templates}
        others = [one for one in spec.get("volumes", ()) if one["name"] not in claimed]
        volumes = [
            {"name": volume, "persistentVolumeClaim": {"claimName": one}} for volume, one in sorted(claimed.items())
        ]
        spec["volumes"] = volumes + others
    return {**pod, "metadata": {**pod["metadata"], "labels": labels}, "spec": spec}


def claims_of(stateful_set: Object, pod: Object) -> list[Object]:
    """The claims that a pod of the set has, as the templates give them."""
    labels = stateful_set["spec"]["selector"].get("matchLabels", {})
    claims = []
    for template in stateful_set["spec"].get("volumeClaimTemplates", ()):
        meta = template["metadata"]
        metadata = {
            **meta,
            "name": f"{meta['name']}-{pod['metadata']['name']}",
            "namespace": stateful_set["metadata"]["namespace"],
            "labels": {**meta.get("labels", {}), **labels},
        }
        kind = {"apiVersion": "v1", "kind": PERSISTENTVOLUMECLAIMS.kind}
        claims.append({**kind, "metadata": metadata, "spec": template["spec"]})
    return claims


def ordinal(pod: Object) -> int:
    """The number at the end of the pod's name; -1 when there is none."""
    match = _ORDINAL.fullmatch(pod["metadata"]["name"])
    return int(match[2]) if match else -1


def revision_of(pod: Object) -> str:
    """The name of the revision that the pod was made from."""
    revision: str = pod["metadata"].get("labels", {}).get(history.HASH_LABEL, "")
    return revision


def _parent(pod: Object) -> str:
    match = _ORDINAL.fullmatch(pod["metadata"]["name"])
    return match[1] if match else ""


def _is_running_and_ready(pod: Object) -> bool:
    return podlib.phase(pod) == "Running" and podlib.is_ready(pod)


def _name(obj: Object) -> str:
    name: str = obj["metadata"]["name"]
    return name


def _reference(owner: Object) -> Object:
    meta = owner["metadata"]
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta.get("uid", "")}


def _own_references(stateful_set: Object, pod: Object) -> set[tuple[str, str]]:
    return {(STATEFULSETS.kind, _name(stateful_set)), (PODS.kind, _name(pod))}


def _discard(_: object) -> None:
    """Take a result that says nothing where order does not matter."""
