"""The node IPAM controller: every node gets a range of addresses for its pods.

Source: pkg/controller/nodeipam/ipam/range_allocator.go.
"""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from itertools import count
from typing import Final

from autograder.controlplane.apimachinery.scheme import NODES
from autograder.controlplane.client.informer import Delta
from autograder.controlplane.kube_controller_manager.controller import Controller, ControllerContext, Subscriptions

CLUSTER_CIDR: Final = IPv4Network("10.244.0.0/16")
NODE_MASK: Final = 24
CAPACITY: Final = 2 ** (NODE_MASK - CLUSTER_CIDR.prefixlen)
SIZE: Final = 2 ** (32 - NODE_MASK)


class NodeIpamController(Controller):
    """Gives out ranges in the order in which nodes come."""

    name = "node-ipam-controller"
    service_account = "node-controller"
    event_source = "cidrAllocator"
    STATE = ("taken",)

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.nodes = self.informers.informer(NODES)
        self.taken: dict[int, str] = {}

    def subscriptions(self) -> Subscriptions:
        return {self.nodes: self.on_node}

    def on_node(self, delta: Delta) -> None:
        name = delta.object["metadata"]["name"]
        cidr = delta.object["spec"].get("podCIDR", "")
        if delta.new is None:
            self.taken = {number: owner for number, owner in self.taken.items() if owner != name}
        elif cidr:
            network = ip_network(cidr, strict=False)
            if isinstance(network, IPv4Network) and network.subnet_of(CLUSTER_CIDR):
                number = (int(network.network_address) - int(CLUSTER_CIDR.network_address)) // SIZE
                self.taken.setdefault(number, name)
        else:
            self.queue.add(name)

    def reconcile(self, key: str) -> None:
        node = self.nodes.get("", key)
        if node is None or node["spec"].get("podCIDR") or "deletionTimestamp" in node["metadata"]:
            return
        number = next(number for number in count() if number not in self.taken)
        if number >= CAPACITY:
            message = f"Node {key} status is now: CIDRNotAvailable"
            self.recorder.event(node, "Normal", "CIDRNotAvailable", message)
            return
        self.taken[number] = key
        address = CLUSTER_CIDR.network_address + number * SIZE
        cidr = f"{address}/{NODE_MASK}"
        spec = {"podCIDR": cidr, "podCIDRs": [cidr]}
        self.client.patch(NODES, "", key, {"spec": spec})
