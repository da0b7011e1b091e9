"""What stands in a cluster before anybody uses it: namespaces, priority classes, the API's own Service, the nodes.

The objects are created through the API, as ``kubeadm init`` and the API server's own start-up hooks do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from autograder.controlplane.addons import create_addons
from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.kube_controller_manager.rootcacertpublisher import CERTIFICATE
from autograder.controlplane.kubelet import kubeadm
from autograder.controlplane.kubelet import node_files as kubelet_files
from autograder.controlplane.topology import CONTROL_PLANE_LABEL

NAMESPACES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")
API_ADDRESS: Final = "10.96.0.1"
CONTROL_PLANE_ADDRESS: Final = "10.250.0.10"
API_PORT: Final = 6443

_PRIORITY_CLASSES: Final = {
    "system-cluster-critical": (
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    "system-node-critical": (
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
}


def create_initial_objects(client: Client, nodes: Sequence[Object], *, system_pods: bool) -> None:
    """Create everything; ``system_pods`` adds what kubeadm runs in ``kube-system`` (its static pods are on disks)."""
    for name in NAMESPACES:
        client.create(scheme.NAMESPACES, "", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    for name, (value, description) in _PRIORITY_CLASSES.items():
        client.create(
            scheme.PRIORITYCLASSES,
            "",
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name},
                "value": value,
                "description": description,
            },
        )
    _create_api_service(client)
    for manifest in nodes:
        client.create(scheme.NODES, "", manifest)
    if system_pods:
        create_addons(client, CONTROL_PLANE_ADDRESS, CERTIFICATE)


def node_files(node: Object) -> dict[str, str]:
    """What kubeadm has left on the disk of a node of the default topology: files by path."""
    name = node["metadata"]["name"]
    control_plane = CONTROL_PLANE_LABEL in node["metadata"]["labels"]
    manifests = kubeadm.manifests(name, CONTROL_PLANE_ADDRESS) if control_plane else {}
    return {
        **manifests,
        **kubelet_files.files(name, CONTROL_PLANE_ADDRESS, CERTIFICATE, control_plane=control_plane),
    }


def _create_api_service(client: Client) -> None:
    """The Service ``kubernetes``, through which pods reach the API server, and its endpoints."""
    labels = {"component": "apiserver", "provider": "kubernetes"}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": API_PORT}
    client.create(
        scheme.SERVICES,
        "default",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "kubernetes", "labels": labels},
            "spec": {"clusterIP": API_ADDRESS, "ports": [port], "type": "ClusterIP"},
        },
    )
    endpoint_port = {"name": "https", "port": API_PORT, "protocol": "TCP"}
    client.create(
        scheme.ENDPOINTS,
        "default",
        {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {"name": "kubernetes", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
            "subsets": [{"addresses": [{"ip": CONTROL_PLANE_ADDRESS}], "ports": [endpoint_port]}],
        },
    )
    client.create(
        scheme.ENDPOINTSLICES,
        "default",
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [CONTROL_PLANE_ADDRESS], "conditions": {"ready": True}}],
            "ports": [endpoint_port],
        },
    )
