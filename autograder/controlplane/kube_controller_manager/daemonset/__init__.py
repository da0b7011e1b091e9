"""The DaemonSet controller: a pod on every node that may have one.

The pods are bound by the scheduler; each names its node in its node affinity.  ``placement`` decides where they may
be, ``rollout`` how old ones give way to new ones.  Source: pkg/controller/daemon.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import selectors
from autograder.controlplane.apimachinery.errors import AlreadyExists, StatusError
from autograder.controlplane.apimachinery.scheme import CONTROLLERREVISIONS, DAEMONSETS, NODES, PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_namespace, object_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import history
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.controller import ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.daemonset import rollout
from autograder.controlplane.kube_controller_manager.daemonset.placement import (
    on_node,
    pod_template,
    should_run,
    target_node,
)
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.hashing import template_hash
from autograder.controlplane.kube_controller_manager.ownership import RefManager, controllers
from autograder.controlplane.kube_controller_manager.pod_control import slow_start
from autograder.controlplane.kube_controller_manager.pod_maker import PodMaker
from autograder.controlplane.kube_controller_manager.refusals import is_of_terminating_namespace

BURST: Final = 250
BACKOFF: Final = 1 * SECOND
LONGEST_BACKOFF: Final = 900 * SECOND


class _Plan(NamedTuple):
    """The nodes on which a daemon is missing, and the pods that are to go."""

    missing: list[str]
    doomed: list[Object]


class _Backoff(NamedTuple):
    """The last time a failed daemon of a node was replaced, and how long to wait for the next time."""

    since: int
    delay: int


class DaemonSetController(PodMaker):
    """Keeps the pods of every DaemonSet on their nodes."""

    name = "daemonset-controller"
    service_account = "daemon-set-controller"
    event_source = "daemonset-controller"
    STATE = ("backoffs",)

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.sets = self.informers.informer(DAEMONSETS, namespace=by_namespace)
        self.revisions = self.informers.informer(CONTROLLERREVISIONS, namespace=by_namespace)
        self.pods = self.informers.informer(PODS, **{podlib.BY_OWNER: podlib.by_owner})
        self.nodes = self.informers.informer(NODES)
        self.backoffs: dict[str, _Backoff] = {}

    def subscriptions(self) -> Subscriptions:
        return {
            self.sets: self.on_set,
            self.revisions: self.on_revision,
            self.pods: self.on_pod,
            self.nodes: self.on_node,
        }

    def on_set(self, delta: Delta) -> None:
        if delta.new is None:
            self.expectations.forget(object_key(delta.object))
        self.queue.add(object_key(delta.object))

    def on_revision(self, delta: Delta) -> None:
        self.queue.add(*controllers(self.sets, delta))

    def on_pod(self, delta: Delta) -> None:
        self.hear_of_pod(self.sets, delta)

    def on_node(self, delta: Delta) -> None:
        """Nodes tell of themselves all the time; only what decides about pods counts."""
        old, new = delta
        same = (
            old is not None
            and new is not None
            and old["spec"] == new["spec"]
            and old["metadata"].get("labels") == new["metadata"].get("labels")
        )
        if not same:
            for one in self.sets:
                self.queue.add(object_key(one))

    def reconcile(self, key: str) -> None:
        daemon_set = self.sets.get_by_key(key)
        if daemon_set is None:
            self.expectations.forget(key)
            return
        if selectors.of_object(daemon_set["spec"]["selector"]).empty:
            message = "This daemon set is selecting all pods. A non-empty selector is required."
            self.recorder.event(daemon_set, "Warning", "SelectingAll", message)
            return
        if "deletionTimestamp" in daemon_set["metadata"]:
            return
        current, old = self._sync_history(daemon_set)
        digest = current["metadata"].get("labels", {}).get(history.HASH_LABEL, "")
        failure: StatusError | None = None
        satisfied = self.expectations.satisfied(key)
        if satisfied:
            try:
                self._manage(key, daemon_set, digest)
                if self.expectations.satisfied(key) and rollout.is_rolling(daemon_set):
                    self._roll(key, daemon_set, digest)
                self._clean_up(daemon_set, old)
            except StatusError as error:
                failure = error
        self._write_status(key, daemon_set, digest, observed=satisfied)
        if failure:
            raise failure

    # ------------------------------------------------------------ history

    def _sync_history(self, daemon_set: Object) -> tuple[Object, list[Object]]:
        """The revision of the present template, made if there is none, and the others."""
        selector = selectors.of_object(daemon_set["spec"]["selector"])
        candidates = self.revisions.by_index("namespace", daemon_set["metadata"]["namespace"])
        claimed = RefManager(self.client, DAEMONSETS, daemon_set, selector, CONTROLLERREVISIONS).claim(candidates)
        known = [self._labelled(one) for one in claimed]
        same = history.in_order(one for one in known if history.keeps_template_of(one, daemon_set))
        old = history.in_order(one for one in known if not history.keeps_template_of(one, daemon_set))
        number = old[-1]["revision"] + 1 if old else 1
        if same:
            current = same[-1]
            return history.renumber(self.client, current, max(number, current["revision"])), old
        return self._snapshot(daemon_set, number), old

    def _labelled(self, revision: Object) -> Object:
        """The revision with its hash as a label; one that has lost it gets its name for that."""
        meta = revision["metadata"]
        if history.HASH_LABEL in meta.get("labels", {}):
            return revision
        labels = {**meta.get("labels", {}), history.HASH_LABEL: meta["name"]}
        return self.client.update(CONTROLLERREVISIONS, {**revision, "metadata": {**meta, "labels": labels}})

    def _snapshot(self, daemon_set: Object, number: int) -> Object:
        collisions = daemon_set.get("status", {}).get("collisionCount")
        digest = template_hash(daemon_set["spec"]["template"], collisions)
        wanted = history.new_revision(daemon_set, digest, number, history.HASH_LABEL)
        namespace, name = wanted["metadata"]["namespace"], wanted["metadata"]["name"]
        try:
            return self.client.create(CONTROLLERREVISIONS, namespace, wanted)
        except AlreadyExists:
            found = self.client.get(CONTROLLERREVISIONS, namespace, name)
            if history.keeps_template_of(found, daemon_set):
                return found
            status = {**daemon_set.get("status", {}), "collisionCount": (collisions or 0) + 1}
            self.client.update(DAEMONSETS, {**daemon_set, "status": status}, "status")
            raise

    def _clean_up(self, daemon_set: Object, old: list[Object]) -> None:
        """Delete the oldest revisions beyond ``revisionHistoryLimit`` that no pod is of."""
        surplus = len(old) - daemon_set["spec"].get("revisionHistoryLimit", 10)
        if surplus <= 0:
            return
        owned = self.pods.by_index(podlib.BY_OWNER, daemon_set["metadata"]["uid"])
        live = {pod["metadata"].get("labels", {}).get(history.HASH_LABEL) for pod in owned}
        unused = [one for one in old if one["metadata"].get("labels", {}).get(history.HASH_LABEL) not in live]
        for one in unused[:surplus]:
            self.client.delete(CONTROLLERREVISIONS, one["metadata"]["namespace"], one["metadata"]["name"])

    # ------------------------------------------------------------ pods

    def _nodes_in_order(self) -> list[Object]:
        return sorted(self.nodes, key=lambda node: str(node["metadata"]["name"]))

    def _pods_by_node(self, daemon_set: Object) -> dict[str, list[Object]]:
        selector = selectors.of_object(daemon_set["spec"]["selector"])
        known = podlib.owned_and_orphans(self.pods, daemon_set)
        found: dict[str, list[Object]] = {}
        for pod in RefManager(self.client, DAEMONSETS, daemon_set, selector, PODS).claim(known):
            if podlib.is_terminal(pod) and "deletionTimestamp" in pod["metadata"]:
                continue
            if node := target_node(pod):
                found.setdefault(node, []).append(pod)
        return found

    def _manage(self, key: str, daemon_set: Object, digest: str) -> None:
        """A pod where one is missing, none where none may be, and no more than one."""
        by_node = self._pods_by_node(daemon_set)
        plan = _Plan([], [])
        all_nodes = self._nodes_in_order()
        for node in all_nodes:
            self._judge_node(key, daemon_set, node, by_node.get(node["metadata"]["name"]), digest, plan)
        present = {node["metadata"]["name"] for node in all_nodes}
        for name in sorted(by_node.keys() - present):
            plan.doomed.extend([pod for pod in by_node[name] if not pod["spec"].get("nodeName")])
        self._apply(key, daemon_set, digest, plan)

    def _judge_node(
        self, key: str, daemon_set: Object, node: Object, pods: list[Object] | None, digest: str, plan: _Plan
    ) -> None:
        """Plan for one node, where these pods are; None where there has been none at all."""
        name = node["metadata"]["name"]
        may_start, may_stay = should_run(daemon_set, node)
        if pods is None:
            if may_start:
                plan.missing.append(name)
            return
        staying = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        if not may_stay:
            plan.doomed.extend(staying)
            return
        running = sorted(self._running(key, daemon_set, name, staying, plan), key=_seniority)
        if rollout.max_surge(daemon_set, 1) == 0:
            plan.doomed.extend(running[1:])
        elif not running:
            if may_start:
                plan.missing.append(name)
        elif len(running) > 1:
            plan.doomed.extend(rollout.surplus(daemon_set, running, digest, self.clock.now))

    def _running(self, key: str, daemon_set: Object, node: str, pods: list[Object], plan: _Plan) -> list[Object]:
        """The daemons of a node that have not ended; those that have are to go."""
        running = []
        for pod in pods:
            if podlib.phase(pod) == "Failed":
                self._replace_failed(key, daemon_set, node, pod, plan)
            elif podlib.phase(pod) == "Succeeded":
                message = f"Found succeeded daemon pod {object_key(pod)} on node {node}, will try to delete it"
                self.recorder.event(daemon_set, "Normal", "SucceededDaemonPod", message)
                plan.doomed.append(pod)
            else:
                running.append(pod)
        return running

    def _replace_failed(self, key: str, daemon_set: Object, node: str, pod: Object, plan: _Plan) -> None:
        """A failed daemon is deleted, so that a new one comes; each time with a longer wait."""
        generation = daemon_set.get("status", {}).get("observedGeneration", 0)
        backoff_key = f"{daemon_set['metadata']['uid']}/{generation}/{node}"
        known = self.backoffs.get(backoff_key)
        now = self.clock.now
        if known and now - known.since < known.delay:
            self.queue.add_after(key, known.delay)
            return
        delay = min(known.delay * 2, LONGEST_BACKOFF) if known else BACKOFF
        self.backoffs[backoff_key] = _Backoff(now, delay)
        message = f"Found failed daemon pod {object_key(pod)} on node {node}, will try to kill it"
        self.recorder.event(daemon_set, "Warning", "FailedDaemonPod", message)
        plan.doomed.append(pod)

    def _roll(self, key: str, daemon_set: Object, digest: str) -> None:
        """Replace old pods as far as ``maxUnavailable`` or ``maxSurge`` allow."""
        by_node = self._pods_by_node(daemon_set)
        runnable = {node["metadata"]["name"] for node in self._nodes_in_order() if should_run(daemon_set, node)[0]}
        plan = _Plan(*rollout.next_step(daemon_set, digest, by_node, runnable, self.clock.now))
        self._apply(key, daemon_set, digest, plan)

    def _apply(self, key: str, daemon_set: Object, digest: str, plan: _Plan) -> None:
        """Create the pods that are missing and delete the doomed ones."""
        missing, doomed = plan.missing[:BURST], plan.doomed[:BURST]
        if not missing and not doomed:
            return
        self.expectations.expect(key, creations=len(missing), deletions=map(object_key, doomed))
        template = pod_template(daemon_set, digest)
        waiting = iter(missing)

        def create() -> None:
            try:
                self.pod_control.create_from_template(daemon_set, on_node(template, next(waiting)))
            except StatusError as error:
                self.expectations.creation_observed(key)
                if not is_of_terminating_namespace(error):
                    raise

        _, failure = slow_start(len(missing), create)
        self.expectations.creation_observed(key, sum(1 for _ in waiting))
        refusal = self.pod_control.delete_expected(daemon_set, doomed, self.expectations, key)
        if failure := failure or refusal:
            raise failure

    # ------------------------------------------------------------ status

    def _write_status(self, key: str, daemon_set: Object, digest: str, *, observed: bool) -> None:
        by_node = self._pods_by_node(daemon_set)
        wait, now = daemon_set["spec"].get("minReadySeconds", 0), self.clock.now
        desired = current = misplaced = ready = updated = available = 0
        for node in self._nodes_in_order():
            pods = sorted(by_node.get(node["metadata"]["name"], ()), key=_seniority)
            if not should_run(daemon_set, node)[0]:
                misplaced += bool(pods)
                continue
            desired += 1
            if pods:
                current += 1
                ready += podlib.is_ready(pods[0])
                available += podlib.is_available(pods[0], wait, now)
                updated += rollout.revision_of(pods[0]) == digest
        before = daemon_set.get("status", {})
        generation = daemon_set["metadata"].get("generation", 0) if observed else before.get("observedGeneration", 0)
        status = {
            "currentNumberScheduled": current,
            "numberMisscheduled": misplaced,
            "desiredNumberScheduled": desired,
            "numberReady": ready,
        }
        status |= compact(
            {
                "observedGeneration": generation,
                "updatedNumberScheduled": updated,
                "numberAvailable": available,
                "numberUnavailable": desired - available,
            }
        )
        status |= {field: before[field] for field in ("collisionCount", "conditions") if field in before}
        if status != before:
            self.client.update(DAEMONSETS, {**daemon_set, "status": status}, "status")
        if wait and ready != available:
            self.queue.add_after(key, wait * SECOND)


def _seniority(pod: Object) -> tuple[bool, str, str]:
    """Sort key: bound pods first, then the oldest."""
    meta = pod["metadata"]
    return not pod["spec"].get("nodeName"), meta["creationTimestamp"], meta["name"]
