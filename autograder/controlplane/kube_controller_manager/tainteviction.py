"""The taint eviction controller: pods leave a node whose NoExecute taints they do not tolerate (any longer).

Source: pkg/controller/tainteviction.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import NODES, PODS
from autograder.controlplane.apimachinery.taints import NO_EXECUTE, Taint, tolerates
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_node, object_key, split_key
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import nodes
from autograder.controlplane.kube_controller_manager.conditions import find, without
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions

NODE: Final = "node "
POD: Final = "pod "
EVICT: Final = "evict "


class Eviction(NamedTuple):
    """An appointment to evict a pod: since when its time runs, and when it ends."""

    since: int
    due: int


class TaintEvictionController(Controller):
    """Evicts pods from tainted nodes, in time."""

    name = "taint-eviction-controller"
    service_account = "node-controller"
    event_source = "taint-eviction-controller"
    STATE = ("evictions",)

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.nodes = self.informers.informer(NODES)
        self.pods = self.informers.informer(PODS, node=by_node)
        self.evictions: dict[str, Eviction] = {}

    def subscriptions(self) -> Subscriptions:
        return {self.nodes: self.on_node, self.pods: self.on_pod}

    def on_node(self, delta: Delta) -> None:
        old, new = delta
        before = _no_execute(old) if old else []
        after = _no_execute(new) if new else []
        if before != after:
            self.queue.add(NODE + delta.object["metadata"]["name"])

    def on_pod(self, delta: Delta) -> None:
        old, new = delta
        if new is None or old is None or _decisive(old) != _decisive(new):
            self.queue.add(POD + object_key(delta.object))

    def reconcile(self, key: str) -> None:
        for prefix, act in ((NODE, self._sync_node), (POD, self._sync_pod), (EVICT, self._evict)):
            if key.startswith(prefix):
                act(key.removeprefix(prefix))

    def _sync_node(self, name: str) -> None:
        for pod in self.pods.by_index("node", name):
            self._sync_pod(object_key(pod))

    def _sync_pod(self, key: str) -> None:
        """Make or cancel the appointment of a pod."""
        pod = self.pods.get_by_key(key)
        node = self.nodes.get("", pod["spec"].get("nodeName", "")) if pod else None
        if pod is None:
            self._cancel(key, tell=False)
            return
        taints = _no_execute(node) if node else []
        if not taints:
            self._cancel(key)
            return
        tolerations = pod["spec"].get("tolerations", ())
        used = [next((one for one in tolerations if tolerates(one, Taint.of(taint))), None) for taint in taints]
        now = self.clock.now
        if any(one is None for one in used):
            self._cancel(key)
            self._evict(key)
            return
        times = [one["tolerationSeconds"] for one in used if one is not None and "tolerationSeconds" in one]
        if not times:
            self._cancel(key)
            return
        patience = max(0, min(times)) * SECOND
        known = self.evictions.get(key)
        if known and known.since + patience < now + patience:
            return
        self._cancel(key)
        self.evictions[key] = Eviction(now, now + patience)
        self.queue.add_after(EVICT + key, patience)

    def _cancel(self, key: str, *, tell: bool = True) -> None:
        if self.evictions.pop(key, None) is None:
            return
        self.queue.cancel(EVICT + key)
        pod = self.pods.get_by_key(key)
        if tell and pod is not None:
            self.recorder.event(pod, "Normal", "TaintManagerEviction", f"Cancelling deletion of Pod {key}")

    def _evict(self, key: str) -> None:
        self.evictions.pop(key, None)
        pod = self.pods.get_by_key(key)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        namespace, name = split_key(key)
        self.recorder.event(pod, "Normal", "TaintManagerEviction", f"Marking for deletion Pod {key}")
        try:
            pod = self.client.get(PODS, namespace, name)
            self.client.update(PODS, with_disruption(pod, self.now, *_REASON), "status")
            self.client.delete(PODS, namespace, name)
        except NotFound:
            return


_REASON: Final = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")


def with_disruption(pod: Object, now: str, reason: str, message: str) -> Object:
    """The pod with the condition that says why it is taken away."""
    status = pod.get("status", {})
    known = find(status.get("conditions", ()), "DisruptionTarget")
    begun = known.get("lastTransitionTime") if known and known["status"] == "True" else None
    condition = {
        "type": "DisruptionTarget",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": begun or now,
        "reason": reason,
        "message": message,
    }
    conditions = [*without(status.get("conditions", ()), "DisruptionTarget"), condition]
    return {**pod, "status": {**status, "conditions": conditions}}


def _no_execute(node: Object) -> list[Object]:
    return [one for one in nodes.taints_of(node) if one["effect"] == NO_EXECUTE]


def _decisive(pod: Object) -> tuple[object, object]:
    spec = pod["spec"]
    return spec.get("nodeName"), spec.get("tolerations")
