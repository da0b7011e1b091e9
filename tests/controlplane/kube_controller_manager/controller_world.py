"""A cluster to watch controllers in, and manifests that tests of them have in common."""

from __future__ import annotations

from typing import Any

from autograder.controlplane.apimachinery.scheme import DEPLOYMENTS, EVENTS, PODS, ResourceType, resource_of
from autograder.controlplane.apimachinery.wire import ADMIN
from autograder.controlplane.client.client import STRATEGIC_MERGE_PATCH
from autograder.controlplane.cluster import Cluster

Object = dict[str, Any]


class World:
    """One cluster, seen by its administrator; everything happens in the namespace ``default`` unless said."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.client = cluster.client()
        self._reader = cluster.client(ADMIN, trusted=True)

    def fork(self) -> World:
        return World(self.cluster.fork())

    def create(self, obj: Object, namespace: str = "default") -> Object:
        return self.client.create(resource_of(obj), namespace, obj)

    def get(self, kind: ResourceType, name: str, namespace: str = "default") -> Object:
        return self._reader.get(kind, namespace, name)

    def list(self, kind: ResourceType, namespace: str = "default", labels: str = "") -> list[Object]:
        return self._reader.list(kind, namespace, labels=labels)[0]

    def names(self, kind: ResourceType, namespace: str = "default", labels: str = "") -> list[str]:
        return [obj["metadata"]["name"] for obj in self.list(kind, namespace, labels)]

    def pods(self, labels: str = "") -> list[Object]:
        return self.list(PODS, labels=labels)

    def patch(self, kind: ResourceType, name: str, patch: Object, subresource: str = "") -> Object:
        namespace = "default" if kind.namespaced else ""
        return self.client.patch(kind, namespace, name, patch, subresource, patch_type=STRATEGIC_MERGE_PATCH)

    def delete(self, kind: ResourceType, name: str, namespace: str = "default", **options: Any) -> None:
        self.client.delete(kind, namespace, name, **options)

    def advance(self, seconds: float) -> None:
        self.cluster.advance(seconds)

    def settle(self) -> None:
        """Let everything happen that happens at once."""
        self.cluster.settle()

    def events(self, kind: str, namespace: str = "default") -> list[tuple[str, str]]:
        """Reason and message of the events about objects of a kind, in the order in which they came."""
        found = [event for event in self.list(EVENTS, namespace) if event["involvedObject"]["kind"] == kind]
        found.sort(key=lambda event: int(event["metadata"]["name"].rpartition(".")[2], 16))
        return [(event["reason"], event["message"]) for event in found]

    def condition(self, kind: ResourceType, name: str, condition: str) -> tuple[str, str]:
        """Status and reason of a condition; ('', '') when the object does not have it."""
        conditions = self.get(kind, name).get("status", {}).get("conditions", [])
        return next(((one["status"], one["reason"]) for one in conditions if one["type"] == condition), ("", ""))

    def bytes(self) -> list[tuple[str, Any]]:
        """Everything in the store, to compare clusters by."""
        store = self.cluster.store
        return [(key, store.get(key)) for key in store.keys()]  # noqa: SIM118 - a store is no dict

    def roll_out(self, image: str, name: str = "web") -> None:
        container = {"name": "c", "image": image}
        self.patch(DEPLOYMENTS, name, {"spec": {"template": {"spec": {"containers": [container]}}}})


def template(app: str = "web", image: str = "nginx:1.27", **spec: Any) -> Object:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "c", "image": image}], **spec}}


def stubborn(app: str = "web") -> Object:
    """The template of a pod that takes its whole grace period to end."""
    container = {"name": "c", "image": "busybox:1.36", "command": ["sleep", "100000"]}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}}


def workload(kind: str, name: str = "web", app: str = "web", image: str = "nginx:1.27", **spec: Any) -> Object:
    """A Deployment, ReplicaSet, DaemonSet or StatefulSet."""
    body = {"selector": {"matchLabels": {"app": app}}, "template": template(app, image), **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": body}


def deployment(**spec: Any) -> Object:
    return workload("Deployment", **spec)


def pod(name: str, labels: dict[str, str] | None = None, image: str = "nginx:1.27", **spec: Any) -> Object:
    metadata = {"name": name, "labels": labels or {}}
    body = {"containers": [{"name": "c", "image": image}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body}


def job(name: str, *command: str, restart: str = "Never", **spec: Any) -> Object:
    container = {"name": "c", "image": "busybox:1.36", "command": list(command)}
    body = {"template": {"spec": {"restartPolicy": restart, "containers": [container]}}, **spec}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": body}


def service(name: str = "web", app: str = "web", **spec: Any) -> Object:
    body = {"selector": {"app": app}, "ports": [{"port": 80}], **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": body}
