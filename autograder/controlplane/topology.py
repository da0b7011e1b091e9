"""The nodes of a cluster that was not told which to have: as kubeadm leaves it, with two workers."""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kubelet.node_status import CAPACITY

CONTROL_PLANE_LABEL: Final = "node-role.kubernetes.io/control-plane"


def node(name: str, address: str, *, control_plane: bool = False) -> Object:
    """A Node manifest of an ordinary machine: 4 cores, 8 GiB, 110 pods."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    manifest: Object = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}
    if control_plane:
        labels[CONTROL_PLANE_LABEL] = ""
        labels["node.kubernetes.io/exclude-from-external-load-balancers"] = ""
        manifest["spec"]["taints"] = [{"key": CONTROL_PLANE_LABEL, "effect": "NoSchedule"}]
    manifest["status"] = {
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "capacity": dict(CAPACITY),
        "allocatable": {**CAPACITY, "memory": "8036836Ki"},
    }
    return manifest


DEFAULT_NODES: Final[tuple[Object, ...]] = (
    node("control-plane", "10.250.0.10", control_plane=True),
    node("worker-1", "10.250.0.11"),
    node("worker-2", "10.250.0.12"),
)
