"""How kubelets show that their nodes are alive: each renews a lease often, and writes the node's status now and then.

What stands in the lease and in the status is ``node_status``.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import LEASES, NODES
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kubelet import node_status
from autograder.controlplane.kubelet.surroundings import Surroundings
from autograder.controlplane.kubelet.timing import COMPONENT, LEASE_PERIOD, RETRY, STATUS_PERIOD

_STARTED_EVENTS: Final = (
    ("Starting", "Starting kubelet."),
    ("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods"),
)


class Heartbeats:
    """The heartbeats of all nodes that have a kubelet."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._client = surroundings.client
        self._recorder = surroundings.recorder
        self._clock = surroundings.clock
        self._machines = surroundings.machines
        self._nodes = surroundings.nodes

    def start(self, node: Object) -> None:
        """A kubelet has started on a node: say so, and beat from now on."""
        name = node["metadata"]["name"]
        if not node_status.is_fake(node):
            for reason, message in _STARTED_EVENTS:
                self._tell(name, reason, message)
        self.renew_lease(name)
        self.post_status(name)

    def stop(self, name: str) -> None:
        """The kubelet of a node has ended, and falls silent."""
        for key in ("lease", "status"):
            self._clock.cancel(COMPONENT, (key, name))

    def renew_lease(self, name: str) -> None:
        """Renew a node's lease, and set the timer of the next time."""
        node = self._nodes.get("", name)
        if node is None:
            return
        self._clock.set(COMPONENT, ("lease", name), self._clock.now + LEASE_PERIOD, periodic=True)
        lease = node_status.lease(node, self._clock.now)
        try:
            current = self._client.get(LEASES, lease["metadata"]["namespace"], name)
            self._client.update(LEASES, {**current, "spec": lease["spec"]})
        except NotFound:
            self._try_to_create(lease)
        except StatusError:
            # The API server does not take it now; the next renewal is near enough.
            return

    def _try_to_create(self, lease: Object) -> None:
        try:
            self._client.create(LEASES, lease["metadata"]["namespace"], lease)
        except StatusError:
            # Without a lease the node's status still shows that it is alive; the next renewal tries again.
            return

    def post_status(self, name: str) -> None:
        """Write a node's status, and set the timer of the next time."""
        node = self._nodes.get("", name)
        if node is None:
            return
        self._clock.set(COMPONENT, ("status", name), self._clock.now + STATUS_PERIOD, periodic=True)
        status = node_status.generate(node, self._machines.hosts[name], self._clock.now)
        try:
            self._client.update(NODES, {**node, "status": status}, "status")
        except StatusError:
            self._clock.set(COMPONENT, ("status", name), self._clock.now + RETRY)
            return
        if not node_status.is_fake(node):
            for reason in node_status.became(node.get("status") or {}, status):
                self._tell(name, reason, f"Node {name} status is now: {reason}")

    def _tell(self, name: str, reason: str, message: str) -> None:
        # Events about a node name it in place of its uid.
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}}
        self._recorder.event(node, "Normal", reason, message, host=name)
