"""An API server with nodes and a scheduler and nothing else, so that what is seen is the scheduler's doing."""

from __future__ import annotations

from typing import Any, Self

from autograder.controlplane.apimachinery.scheme import (
    EVENTS,
    NODES,
    PODS,
    PRIORITYCLASSES,
    SERVICEACCOUNTS,
    ResourceType,
)
from autograder.controlplane.cluster import COMPONENTS, Cluster
from autograder.controlplane.kube_scheduler.node_info import EMPTY_NODE, NodeFacts, NodeInfo, PodInfo
from autograder.controlplane.kube_scheduler.scheduler import Scheduler

Object = dict[str, Any]
MERGE = "application/merge-patch+json"


def node(
    name: str, cpu: str = "4", memory: str = "8Gi", *, pods: str = "110", labels: Object | None = None, **spec: Any
) -> Object:
    """A Node manifest; its hostname label is always there."""
    amounts = {"cpu": cpu, "memory": memory, "pods": pods}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **(labels or {})}},
        "spec": spec,
        "status": {"capacity": amounts, "allocatable": amounts},
    }


def pod(
    name: str,
    cpu: str = "",
    memory: str = "",
    *,
    labels: Object | None = None,
    on: str = "",
    namespace: str = "default",
    **spec: Any,
) -> Object:
    """A Pod manifest with one container; ``on`` is the node that it is on already."""
    requests = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    container: Object = {"name": "c", "image": "nginx"}
    if requests:
        container["resources"] = {"requests": requests}
    where = {"nodeName": on} if on else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
        "spec": {"containers": [container], **where, **spec},
    }


def pod_info(name: str = "p", cpu: str = "", memory: str = "", **more: Any) -> PodInfo:
    """What the scheduler knows of such a pod, without an API server; its uid is its name."""
    manifest = pod(name, cpu, memory, **more)
    manifest["metadata"]["uid"] = name
    return PodInfo.of(manifest)


def node_info(manifest: Object, *pods: PodInfo) -> NodeInfo:
    """What the scheduler knows of a node with these pods."""
    info = EMPTY_NODE.with_facts(NodeFacts.of(manifest))
    for one in pods:
        info = info.with_pod(one)
    return info


class World:
    """A cluster of its own."""

    def __init__(self, *nodes: Object, plugins: list[Any] | None = None, seed: int = 0) -> None:
        self.cluster = Cluster(nodes=[], without=COMPONENTS, seed=seed)
        self.admin = self.cluster.client()
        self.admin.create(
            SERVICEACCOUNTS, "default", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        )
        for one in nodes:
            self.add_node(one)
        self.start(plugins)

    def start(self, plugins: list[Any] | None = None) -> None:
        """Start the scheduler (again)."""
        self.cluster._supervisor._running["kube-scheduler"] = Scheduler(self.cluster._environment(), plugins)
        self.settle()

    @property
    def scheduler(self) -> Scheduler:
        found = self.cluster._supervisor._running["kube-scheduler"]
        assert isinstance(found, Scheduler)
        return found

    def fork(self) -> Self:
        twin = object.__new__(type(self))
        twin.cluster = self.cluster.fork()
        twin.admin = twin.cluster.client()
        return twin

    def settle(self) -> None:
        self.cluster.settle()

    def advance(self, seconds: float) -> None:
        self.cluster.advance(seconds)

    def add_node(self, manifest: Object) -> None:
        """Create a node and make it ready, which its kubelet and the node controller would do."""
        self.admin.create(NODES, "", manifest)
        taints = manifest["spec"].get("taints")
        self.patch(NODES, manifest["metadata"]["name"], {"spec": {"taints": taints}})

    def create(self, kind: ResourceType, obj: Object) -> Object:
        """Create anything, and let the scheduler work."""
        created = self.admin.create(kind, obj["metadata"].get("namespace", ""), obj)
        self.settle()
        return created

    def patch(self, kind: ResourceType, name: str, patch: Object, subresource: str = "") -> None:
        """Change anything in the namespace ``default``, and let the scheduler work."""
        namespace = "default" if kind.namespaced else ""
        self.admin.patch(kind, namespace, name, patch, subresource, patch_type=MERGE)
        self.settle()

    def schedule(self, name: str, cpu: str = "", memory: str = "", **more: Any) -> str:
        """Create a pod; the node that it gets, or ''."""
        self.create(PODS, pod(name, cpu, memory, **more))
        return self.node_of(name)

    def delete(self, name: str) -> None:
        """Have a pod gone at once, as if its kubelet had ended it."""
        self.admin.delete(PODS, "default", name, grace_period=0)
        self.settle()

    def pod(self, name: str) -> Object:
        return self.admin.get(PODS, "default", name)

    def node_of(self, name: str) -> str:
        found: str = self.pod(name)["spec"].get("nodeName", "")
        return found

    def condition(self, name: str, of: str = "PodScheduled") -> Object:
        """One condition of a pod."""
        return next(one for one in self.pod(name)["status"]["conditions"] if one["type"] == of)

    def message(self, name: str) -> str:
        """Why a pod is not scheduled."""
        text: str = self.condition(name)["message"]
        return text

    def events(self, reason: str) -> list[Object]:
        return [event for event in self.admin.list(EVENTS)[0] if event["reason"] == reason]

    def priority(self, name: str, value: int) -> None:
        self.create(
            PRIORITYCLASSES,
            {
                "apiVersion": "scheduling.k8s.io/v1",
                "kind": "PriorityClass",
                "metadata": {"name": name},
                "value": value,
            },
        )
