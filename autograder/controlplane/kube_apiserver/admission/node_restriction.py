"""NodeRestriction: a kubelet changes its own node and the pods bound to it, and nothing else."""

from __future__ import annotations

from autograder.controlplane.apimachinery.scheme import LEASES, NODES, PODS
from autograder.controlplane.apimachinery.wire import User
from autograder.controlplane.kube_apiserver.admission.plugin import Plugin, forbidden
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.authorization.nodes import PREFIX, is_node


class NodeRestriction(Plugin):
    """Refuses what the user of one node does to other nodes and their pods."""

    operations = ("CREATE", "UPDATE", "DELETE")

    def admit(self, attributes: Attributes) -> None:
        node = _node_of(attributes.user)
        if not node:
            return
        if attributes.kind is NODES and attributes.name != node:
            raise forbidden(attributes, f'node "{node}" is not allowed to modify node "{attributes.name}"')
        if attributes.kind is LEASES and attributes.namespace == "kube-node-lease" and attributes.name != node:
            raise forbidden(attributes, "can only access node lease with the same name as the requesting node")
        if attributes.kind is PODS:
            pod = attributes.old or attributes.object or {}
            if pod.get("spec", {}).get("nodeName", "") != node:
                what = {"CREATE": "create pods with spec.nodeName", "DELETE": "delete pods with spec.nodeName"}
                allowed = what.get(attributes.operation, "update pod status for pods with spec.nodeName")
                raise forbidden(attributes, f'node "{node}" can only {allowed} set to itself')


def _node_of(user: User) -> str:
    """The node of a kubelet; empty for all other users."""
    return user.name.removeprefix(PREFIX) if is_node(user) else ""
