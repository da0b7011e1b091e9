"""The node lifecycle controller: a node that falls silent is marked, and tainted so that its pods go.

A node tells that it lives by renewing its lease every ten seconds.  After 50 s without a sign its conditions become
Unknown and it gets the taint ``node.kubernetes.io/unreachable``; what happens to its pods then is up to the taint
eviction controller.  Nodes of a zone are tainted one every ten seconds, and not at all while every zone is dark, for
then the fault is rather ours.  Source: pkg/controller/nodelifecycle.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery.errors import NotFound
from autograder.controlplane.apimachinery.scheme import LEASES, NODES, PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client.informer import Delta, by_node
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager import nodes
from autograder.controlplane.kube_controller_manager import pods as podlib
from autograder.controlplane.kube_controller_manager.conditions import find
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions
from autograder.controlplane.kube_controller_manager.nodes import NOT_READY, UNREACHABLE, UNSCHEDULABLE

PERIOD: Final = 5 * SECOND
GRACE: Final = 50 * SECOND
STARTUP_GRACE: Final = 60 * SECOND
#: A lease that was not renewed for this long is overdue.
OVERDUE: Final = 15 * SECOND
#: One node of a zone is tainted every ten seconds, or every hundred in a large zone of which most is dark.
EVICTION_GAP: Final = 10 * SECOND
SECONDARY_EVICTION_GAP: Final = 100 * SECOND
LARGE_ZONE: Final = 50
UNHEALTHY_SHARE: Final = 0.55

MONITOR: Final = "monitor"
DEADLINE: Final = "deadline"
TAINT: Final = "taint"
NODE: Final = "node "
POD: Final = "pod "

LEASE_NAMESPACE: Final = "kube-node-lease"
#: Condition and its status -> the key of the NoSchedule taint that stands for it.
TAINTS: Final = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): nodes.MEMORY_PRESSURE,
    ("DiskPressure", "True"): nodes.DISK_PRESSURE,
    ("NetworkUnavailable", "True"): nodes.NETWORK_UNAVAILABLE,
    ("PIDPressure", "True"): nodes.PID_PRESSURE,
}
OWN_TAINTS: Final = frozenset((*TAINTS.values(), UNSCHEDULABLE))
WATCHED_CONDITIONS: Final = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
EXCLUDED: Final = "node.kubernetes.io/exclude-disruption"
ZONE_LABELS: Final = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


class Health(NamedTuple):
    """When a node last gave a sign, and by which signs it is told."""

    seen: int
    heartbeat: str
    lease: str


class NodeLifecycleController(Controller):
    """Watches over the nodes."""

    name = "node-lifecycle-controller"
    service_account = "node-controller"
    event_source = "node-controller"
    STATE = ("health", "known", "to_taint", "taint_again", "gaps")

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.nodes = self.informers.informer(NODES)
        self.leases = self.informers.informer(LEASES)
        self.pods = self.informers.informer(PODS, node=by_node)
        self.health: dict[str, Health] = {}
        self.known: dict[str, str] = {}
        self.to_taint: dict[str, str] = {}
        self.taint_again: dict[str, int] = {}
        self.gaps: dict[str, int | None] = {}

    def subscriptions(self) -> Subscriptions:
        return {self.nodes: self.on_node, self.pods: self.on_pod}

    def start(self) -> None:
        self.queue.add(MONITOR)

    def on_node(self, delta: Delta) -> None:
        old, new = delta
        if new is not None and (old is None or _signature(old) != _signature(new)):
            self.queue.add(NODE + new["metadata"]["name"])
            self.queue.add(MONITOR)
        elif new is None:
            self.queue.add(MONITOR)

    def on_pod(self, delta: Delta) -> None:
        """A pod that comes to a node which is not ready is not ready either."""
        old, new = delta
        name = new["spec"].get("nodeName", "") if new else ""
        if new is not None and name and (old is None or old["spec"].get("nodeName", "") != name):
            node = self.nodes.get("", name)
            if node is not None and nodes.ready_condition(node) and not nodes.is_ready(node):
                self.queue.add(f"{POD}{new['metadata']['namespace']}/{new['metadata']['name']}")

    def reconcile(self, key: str) -> None:
        if key in (MONITOR, DEADLINE):
            self._monitor()
            self.queue.add_after(MONITOR, PERIOD, periodic=True)
        elif key == TAINT:
            self._taint_next()
        elif key.startswith(NODE):
            self._sync_condition_taints(key.removeprefix(NODE))
        else:
            pod = self.pods.get_by_key(key.removeprefix(POD))
            node = self.nodes.get("", pod["spec"].get("nodeName", "")) if pod else None
            if pod is not None and node is not None and not nodes.is_ready(node):
                self._mark_not_ready([pod])

    # ------------------------------------------------------------ health

    def _monitor(self) -> None:
        """Look at every node: who came, who went, who is silent."""
        present = sorted(self.nodes, key=lambda node: str(node["metadata"]["name"]))
        self._greet(present)
        looked_at = [self._judge(node) for node in present]
        zones: dict[str, list[Object]] = {}
        for node in looked_at:
            if EXCLUDED not in node["metadata"].get("labels", {}):
                zones.setdefault(_zone(node), []).append(node)
        dark = bool(zones) and all(not any(map(nodes.is_ready, zone)) for zone in zones.values())
        for node in looked_at:
            self._sync_eviction_taints(node, dark=dark)
        self.gaps = {name: _gap(zone) for name, zone in zones.items()}
        self._taint_next()

    def _greet(self, present: list[Object]) -> None:
        names = {node["metadata"]["name"] for node in present}
        for node in present:
            name = node["metadata"]["name"]
            if name not in self.known:
                self.known[name] = node["metadata"]["uid"]
                self._tell(node, "RegisteredNode", f"Node {name} event: Registered Node {name} in Controller")
        for name in sorted(self.known.keys() - names):
            uid = self.known.pop(name)
            gone = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": uid}}
            self._tell(gone, "RemovingNode", f"Node {name} event: Removing Node {name} from Controller")
            self.health.pop(name, None)
            self.to_taint.pop(name, None)

    def _judge(self, node: Object) -> Object:
        """Take in a node's signs; a silent one is written down as Unknown.  Returns the node as it now is."""
        name = node["metadata"]["name"]
        was_ready = nodes.is_ready(node)
        health = self._look(node)
        self.health[name] = health
        grace = GRACE if nodes.ready_condition(node) else STARTUP_GRACE
        silent = self.clock.now - health.seen
        if silent <= grace:
            if silent > OVERDUE:
                self.queue.add_after(DEADLINE, grace - silent + 1)
            return node
        status = node.get("status", {})
        conditions = self._unknown(node, status.get("conditions", []))
        if conditions != status.get("conditions"):
            node = self.client.update(NODES, {**node, "status": {**status, "conditions": conditions}}, "status")
        if was_ready:
            self._tell(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
            self._mark_not_ready(self.pods.by_index("node", name))
        return node

    def _look(self, node: Object) -> Health:
        """When the node last gave a sign: a new heartbeat in its status, or a renewed lease."""
        name = node["metadata"]["name"]
        before = self.health.get(name)
        ready = nodes.ready_condition(node)
        heartbeat = ready.get("lastHeartbeatTime", "") if ready else ""
        lease = self.leases.get(LEASE_NAMESPACE, name)
        renewed = lease["spec"].get("renewTime", "") if lease else ""
        if before is None:
            seen = self.clock.now if ready or renewed else podlib.created(node)
        elif heartbeat != before.heartbeat or renewed > before.lease:
            seen = self.clock.now
        else:
            seen = before.seen
        return Health(seen, heartbeat, renewed)

    def _unknown(self, node: Object, conditions: list[Object]) -> list[Object]:
        """The conditions of a node that says nothing."""
        changed = []
        for one in conditions:
            if one["type"] in WATCHED_CONDITIONS and one["status"] != "Unknown":
                one = {
                    **one,
                    "status": "Unknown",
                    "reason": "NodeStatusUnknown",
                    "message": "Kubelet stopped posting node status.",
                    "lastTransitionTime": self.now,
                }
            changed.append(one)
        for kind in WATCHED_CONDITIONS:
            if not find(conditions, kind):
                changed.append(
                    {
                        "type": kind,
                        "status": "Unknown",
                        "lastHeartbeatTime": node["metadata"]["creationTimestamp"],
                        "lastTransitionTime": self.now,
                        "reason": "NodeStatusNeverUpdated",
                        "message": "Kubelet never posted node status.",
                    }
                )
        return changed

    def _mark_not_ready(self, pods: Iterable[Object]) -> None:
        """Pods of a silent node are no longer counted as ready."""
        for pod in pods:
            ready = podlib.condition(pod, "Ready")
            if ready is None or ready["status"] != "True":
                continue
            conditions = [
                {**one, "status": "False", "lastTransitionTime": self.now} if one is ready else one
                for one in pod["status"]["conditions"]
            ]
            try:
                self.client.update(PODS, {**pod, "status": {**pod["status"], "conditions": conditions}}, "status")
            except NotFound:
                continue
            self.recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")

    # ------------------------------------------------------------ taints

    def _sync_condition_taints(self, name: str) -> None:
        """NoSchedule taints that say the same as conditions and ``spec.unschedulable``."""
        node = self.nodes.get("", name)
        if node is None:
            return
        keys = [
            TAINTS[one["type"], one["status"]]
            for one in node.get("status", {}).get("conditions", ())
            if (one["type"], one["status"]) in TAINTS
        ]
        if node["spec"].get("unschedulable"):
            keys.append(UNSCHEDULABLE)
        present = {
            one["key"] for one in nodes.taints_of(node) if one["effect"] == "NoSchedule" and one["key"] in OWN_TAINTS
        }
        self._swap(node, "NoSchedule", [key for key in keys if key not in present], present.difference(keys))

    def _sync_eviction_taints(self, node: Object, *, dark: bool) -> None:
        """Decide on the NoExecute taints: taken off at once, put on in turn."""
        name, ready = node["metadata"]["name"], nodes.ready_condition(node)
        if ready is None:
            return
        if dark or ready["status"] == "True":
            self.to_taint.pop(name, None)
            self._swap(node, "NoExecute", [], {NOT_READY, UNREACHABLE})
            return
        wanted, other = (NOT_READY, UNREACHABLE) if ready["status"] == "False" else (UNREACHABLE, NOT_READY)
        if nodes.has_taint(node, other, "NoExecute"):
            self._swap(node, "NoExecute", [wanted], {other})
        elif not nodes.has_taint(node, wanted, "NoExecute"):
            self.to_taint[name] = _zone(node)

    def _taint_next(self) -> None:
        """Taint the nodes whose turn it is."""
        now = self.clock.now
        for name, zone in list(self.to_taint.items()):
            gap = self.gaps.get(zone, EVICTION_GAP)
            if gap is None:
                continue
            again = self.taint_again.get(zone, 0)
            if again > now:
                self.queue.add_after(TAINT, again - now)
                continue
            del self.to_taint[name]
            node = self.nodes.get("", name)
            ready = nodes.ready_condition(node) if node else None
            if node is None or ready is None or ready["status"] == "True":
                continue
            self.taint_again[zone] = now + gap
            key = NOT_READY if ready["status"] == "False" else UNREACHABLE
            self._swap(self.client.get(NODES, "", name), "NoExecute", [key], set())

    def _swap(self, node: Object, effect: str, add: list[str], remove: set[str]) -> None:
        """Change a node's taints of one effect, if that changes anything."""
        before = nodes.taints_of(node)
        kept = [one for one in before if one["effect"] != effect or one["key"] not in remove]
        kept += [{"key": key, "effect": effect, "timeAdded": self.now} for key in add]
        if kept != before:
            spec = {key: value for key, value in node["spec"].items() if key != "taints"}
            self.client.update(NODES, {**node, "spec": {**spec, "taints": kept} if kept else spec})

    def _tell(self, node: Object, reason: str, message: str) -> None:
        self.recorder.event(node, "Normal", reason, message)


def _signature(node: Object) -> tuple[object, ...]:
    """What of a node decides about its taints."""
    conditions = node.get("status", {}).get("conditions", ())
    return node["spec"], [(one["type"], one["status"]) for one in conditions]


def _zone(node: Object) -> str:
    labels = node["metadata"].get("labels", {})
    return ":".join(labels.get(label, "") for label in ZONE_LABELS)


def _gap(zone: list[Object]) -> int | None:
    """How long to wait between two nodes of a zone; None: taint none."""
    unhealthy = sum(not nodes.is_ready(node) for node in zone)
    if unhealthy < len(zone) and unhealthy > 2 and unhealthy / len(zone) >= UNHEALTHY_SHARE:
        return SECONDARY_EVICTION_GAP if len(zone) > LARGE_ZONE else None
    return EVICTION_GAP
