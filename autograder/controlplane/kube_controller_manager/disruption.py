"""The disruption controller: how many pods of a PodDisruptionBudget may be evicted now.

The eviction subresource takes from ``disruptionsAllowed`` and notes the pod in ``disruptedPods``; this controller
counts anew.  Source: pkg/controller/disruption.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import intstr, selectors, timestamps
from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import (
    BY_KIND,
    DEPLOYMENTS,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    STATEFULSETS,
)
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_namespace, object_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.conditions import find, since, without
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.ownership import controller_of

#: An evicted pod must be gone, or going, after this time.
DELETION_TIMEOUT: Final = 120 * SECOND
STALE: Final = "stale "
SCALED: Final = (DEPLOYMENTS, REPLICASETS, REPLICATIONCONTROLLERS, STATEFULSETS)
BY_KUBELET: Final = "TerminationByKubelet"


class _Unknowable(Exception):
    """The number of pods that there should be cannot be found out."""


class DisruptionController(Controller):
    """Keeps the status of every PodDisruptionBudget."""

    name = "disruption-controller"
    service_account = "disruption-controller"
    event_source = "controllermanager"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.budgets = self.informers.informer(PODDISRUPTIONBUDGETS, namespace=by_namespace)
        self.pods = self.informers.informer(PODS, namespace=by_namespace)
        self.scaled = {kind: self.informers.informer(kind) for kind in SCALED}

    def subscriptions(self) -> Subscriptions:
        scaled = dict.fromkeys(self.scaled.values(), self.on_scaled)
        return {self.budgets: self.on_budget, self.pods: self.on_pod, **scaled}

    def on_budget(self, delta: Delta) -> None:
        self.queue.add(object_key(delta.object))

    def on_pod(self, delta: Delta) -> None:
        budgets = self.budgets.by_index("namespace", delta.object["metadata"]["namespace"])
        labels = [state["metadata"].get("labels") for state in delta if state is not None]
        for budget in budgets:
            selector = selectors.of_object(budget["spec"].get("selector"))
            if any(selector.matches(one) for one in labels):
                self.queue.add(object_key(budget))
        if delta.new is not None and _is_disrupted(delta.new):
            self.queue.add(STALE + object_key(delta.new))

    def on_scaled(self, delta: Delta) -> None:
        """A changed size changes how many pods there should be."""
        if delta.old is None or delta.new is None or delta.old["spec"] is delta.new["spec"]:
            return
        if delta.old["spec"].get("replicas") != delta.new["spec"].get("replicas"):
            for budget in self.budgets.by_index("namespace", delta.new["metadata"]["namespace"]):
                self.queue.add(object_key(budget))

    def reconcile(self, key: str) -> None:
        if key.startswith(STALE):
            self._clear_stale(key)
            return
        budget = self.budgets.get_by_key(key)
        if budget is None:
            return
        selector = selectors.of_object(budget["spec"].get("selector"))
        candidates = self.pods.by_index("namespace", budget["metadata"]["namespace"])
        pods = [pod for pod in candidates if selector.matches(pod["metadata"].get("labels"))]
        if not pods:
            self.recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        try:
            expected, desired = self._expected(budget, pods)
        except _Unknowable as error:
            text = f"Failed to calculate the number of expected pods: {error}"
            self.recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", text)
            failed = {**budget.get("status", {}), "disruptionsAllowed": 0}
            self._write(budget, failed, "False", "SyncFailed", str(error))
            return
        disrupted = self._disrupted(key, budget, pods)
        going = [pod for pod in pods if "deletionTimestamp" in pod["metadata"] or pod["metadata"]["name"] in disrupted]
        healthy = sum(podlib.is_ready(pod) for pod in pods if pod not in going)
        allowed = max(0, healthy - desired) if expected > 0 else 0
        status: Object = {
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            **compact({"disruptedPods": disrupted, "observedGeneration": budget["metadata"].get("generation", 0)}),
            "conditions": budget.get("status", {}).get("conditions", []),
        }
        if allowed > 0:
            self._write(budget, status, "True", "SufficientPods", "")
        else:
            self._write(budget, status, "False", "InsufficientPods", "")

    def _expected(self, budget: Object, pods: list[Object]) -> tuple[int, int]:
        """How many pods there should be, and how many of them healthy."""
        spec = budget["spec"]
        if "maxUnavailable" in spec:
            expected = self._scale(budget, pods)
            return expected, max(0, expected - intstr.scaled(spec["maxUnavailable"], expected, round_up=True))
        if isinstance(spec.get("minAvailable"), str):
            expected = self._scale(budget, pods)
            return expected, intstr.scaled(spec["minAvailable"], expected, round_up=True)
        return len(pods), spec.get("minAvailable", 0)

    def _scale(self, budget: Object, pods: list[Object]) -> int:
        """The sum of the sizes of the pods' controllers."""
        sizes: dict[str, int] = {}
        unmanaged = False
        for pod in pods:
            reference = controller_of(pod)
            if reference is None:
                unmanaged = True
            else:
                uid, size = self._size(pod, reference)
                sizes[uid] = size
        if unmanaged:
            selector = selectors.go_syntax(budget["spec"].get("selector", {}))
            text = (
                f"Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be "
                "unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in "
                'undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an '
                "integer value."
            )
            self.recorder.event(budget, "Warning", "UnmanagedPods", text)
        return sum(sizes.values())

    def _size(self, pod: Object, reference: Object) -> tuple[str, int]:
        """Uid and size of a pod's controller; a ReplicaSet speaks for its Deployment."""
        namespace = pod["metadata"]["namespace"]
        found = self._find(namespace, reference)
        owner = controller_of(found) if found else None
        if found is not None and owner is not None and owner["kind"] == DEPLOYMENTS.kind:
            found = self._find(namespace, owner) or found
        if found is None:
            raise _Unknowable(f'found no controllers for pod "{pod["metadata"]["name"]}"')
        return found["metadata"]["uid"], found["spec"].get("replicas", 1)

    def _find(self, namespace: str, reference: Object) -> Object | None:
        kind = BY_KIND.get((reference["apiVersion"], reference["kind"]))
        informer = self.scaled.get(kind) if kind else None
        found = informer.get(namespace, reference["name"]) if informer else None
        return found if found and found["metadata"]["uid"] == reference["uid"] else None

    def _disrupted(self, key: str, budget: Object, pods: list[Object]) -> dict[str, str]:
        """The evicted pods that are still to go: name -> since when."""
        known: dict[str, str] = budget.get("status", {}).get("disruptedPods", {})
        left: dict[str, str] = {}
        for pod in pods:
            name = pod["metadata"]["name"]
            if name not in known or "deletionTimestamp" in pod["metadata"]:
                continue
            wait = timestamps.parse(known[name]) + DELETION_TIMEOUT - self.clock.now
            if wait < 0:
                namespace = budget["metadata"]["namespace"]
                text = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
                self.recorder.event(pod, "Warning", "NotDeleted", text)
            else:
                left[name] = known[name]
                self.queue.add_after(key, wait + 1)
        return left

    def _write(self, budget: Object, status: Object, allowed: str, reason: str, message: str) -> None:
        """Write the status with its condition, if anything has changed."""
        conditions = status.get("conditions", [])
        known = find(conditions, "DisruptionAllowed")
        begun = known.get("lastTransitionTime") if known and known["status"] == allowed else None
        condition = {
            "type": "DisruptionAllowed",
            "status": allowed,
            **compact({"observedGeneration": status.get("observedGeneration", 0)}),
            "lastTransitionTime": begun or self.now,
            "reason": reason,
            "message": message,
        }
        status = {**status, "conditions": [*without(conditions, "DisruptionAllowed"), condition]}
        if status != budget.get("status"):
            self.client.update(PODDISRUPTIONBUDGETS, {**budget, "status": status}, "status")

    def _clear_stale(self, key: str) -> None:
        """A pod that was to be disrupted and still runs two minutes later is not going to be."""
        pod = self.pods.get_by_key(key.removeprefix(STALE))
        if pod is None or not _is_disrupted(pod):
            return
        condition = podlib.condition(pod, "DisruptionTarget")
        assert condition is not None
        wait = since(condition) + DELETION_TIMEOUT - self.clock.now
        if wait > 0:
            self.queue.add_after(key, wait)
            return
        kept = {field: value for field, value in condition.items() if field not in ("reason", "message")}
        cleared = {**kept, "status": "False", "lastTransitionTime": self.now}
        conditions = [cleared if one is condition else one for one in pod["status"]["conditions"]]
        try:
            self.client.update(PODS, {**pod, "status": {**pod["status"], "conditions": conditions}}, "status")
        except NotFound:
            return


def _is_disrupted(pod: Object) -> bool:
    """Whether a pod says that it is to be disrupted, and is not going yet."""
    condition = podlib.condition(pod, "DisruptionTarget")
    if condition is None or condition["status"] != "True" or condition.get("reason") == BY_KUBELET:
        return False
    return podlib.is_active(pod)
