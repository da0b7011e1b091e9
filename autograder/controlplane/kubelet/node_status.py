"""What a kubelet says of its node: conditions, addresses, versions, and the lease that shows it is alive."""

from __future__ import annotations

import hashlib
from typing import Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.containers import images
from autograder.controlplane.containers.records import Host
from autograder.controlplane.kubelet.kubeadm import VERSION

LEASE_SECONDS: Final = 40
#: A node created by a user with this annotation gets a simulated kubelet, which says nothing of its machine.
FAKE_ANNOTATION: Final = "kwok.x-k8s.io/node"

#: What a kubelet of v1.36 says that it can do beyond those of older versions.
DECLARED_FEATURES: Final = (
    "ExtendWebSocketsToKubelet",
    "InPlacePodLevelResourcesVerticalScaling",
    "InPlacePodVerticalScalingInitContainers",
    "RestartAllContainersOnContainerExits",
)
#: Conditions in order: type, status, reason, message.
_CONDITIONS: Final = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)
#: The events of a condition that has become what it should be.
CONDITION_EVENTS: Final = {
    "MemoryPressure": "NodeHasSufficientMemory", "DiskPressure": "NodeHasNoDiskPressure",
    "PIDPressure": "NodeHasSufficientPID", "Ready": "NodeReady",
}  # fmt: skip
#: What a node has that nobody has described.
CAPACITY: Final = {"cpu": "4", "ephemeral-storage": "61255492Ki", "memory": "8139236Ki", "pods": "110"}


def is_fake(node: Object) -> bool:
    """Whether a node is one that only has a simulated kubelet (as kwok's have)."""
    return (node["metadata"].get("annotations") or {}).get(FAKE_ANNOTATION) == "fake"


def address_of(node: Object) -> str:
    """The internal address that a node's status states; '' if it states none."""
    addresses = (node.get("status") or {}).get("addresses") or ()
    return next((str(one["address"]) for one in addresses if one["type"] == "InternalIP"), "")


def generate(node: Object, host: Host, now: int) -> Object:
    """The status of a node that is well, over the one it has."""
    old = node.get("status") or {}
    name = node["metadata"]["name"]
    capacity = old.get("capacity") or CAPACITY
    status: Object = {
        **old,
        "capacity": capacity,
        "allocatable": old.get("allocatable") or capacity,
        "addresses": old.get("addresses")
        or [{"type": "InternalIP", "address": host.address}, {"type": "Hostname", "address": name}],
        "conditions": _conditions(old.get("conditions") or (), now),
    }
    if not is_fake(node):
        status |= {"daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}}, "nodeInfo": _node_info(name, host)}
        status["images"] = [_image(reference) for reference in host.images]
        status["declaredFeatures"] = list(DECLARED_FEATURES)
    return status


def became(old: Object, new: Object) -> list[str]:
    """The reasons of the events for conditions that have changed to what they should be."""
    before = {condition["type"]: condition["status"] for condition in (old.get("conditions") or ())}
    return [
        CONDITION_EVENTS[condition["type"]] for condition in new["conditions"]
        if condition["type"] in CONDITION_EVENTS and before.get(condition["type"]) != condition["status"]
    ]  # fmt: skip


def lease(node: Object, now: int) -> Object:
    """A fresh lease of a node."""
    meta = node["metadata"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": meta["name"], "uid": meta["uid"]}
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": meta["name"], "namespace": "kube-node-lease", "ownerReferences": [owner]},
        "spec": {
            "holderIdentity": meta["name"],
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": timestamps.micro_time(now),
        },
    }


def _conditions(old: object, now: int) -> list[Object]:
    by_type = {condition["type"]: condition for condition in old} if isinstance(old, (list, tuple)) else {}
    moment = timestamps.time(now)
    own = [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": moment,
            "lastTransitionTime": by_type[kind]["lastTransitionTime"]
            if kind in by_type and by_type[kind]["status"] == status and by_type[kind].get("lastTransitionTime")
            else moment,
        }
        for kind, status, reason, message in _CONDITIONS
    ]
    others = [condition for kind, condition in by_type.items() if kind not in CONDITION_EVENTS]
    return [*others, *own]


def _node_info(name: str, host: Host) -> Object:
    def identity(what: str) -> str:
        return hashlib.sha256(f"{what}/{name}".encode()).hexdigest()[:32]

    return {
        "architecture": "amd64", "bootID": f"{identity(f'boot {host.boots}')}",
        "containerRuntimeVersion": "containerd://2.2.1", "kernelVersion": "6.12.48+deb13-amd64",
        "kubeProxyVersion": "", "kubeletVersion": VERSION, "machineID": identity("machine"),
        "operatingSystem": "linux", "osImage": "Debian GNU/Linux 13 (trixie)", "systemUUID": identity("system"),
    }  # fmt: skip


def _image(reference: str) -> Object:
    image = images.CATALOGUE[reference]
    return {"names": [f"{image.name}@{image.digest}", reference], "sizeBytes": image.size}
