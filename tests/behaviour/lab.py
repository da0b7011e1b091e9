"""What the behaviours are described with: manifests in few words, and questions to a cluster of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from autograder.clusters import Capability, Cluster, Object
from autograder.controlplane.apimachinery.errors import NotFound

NGINX, NEWER, BUSYBOX = "nginx:1.27", "nginx:1.28", "busybox:1.36"
PATIENCE, MOMENT = 120, 2

#: A behaviour that every cluster shows by the API alone and within seconds, also one that somebody else runs.
anywhere = pytest.mark.anywhere


class Lab:
    """A cluster to try things in; everything happens in the namespace ``default`` unless said."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def create(self, obj: Object, namespace: str = "default") -> Object:
        return self.cluster.create(obj, namespace)

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        return self.cluster.get(kind, name, namespace)

    def status(self, kind: str, name: str, namespace: str = "default") -> Object:
        return self.get(kind, name, namespace).get("status") or {}

    def names(self, kind: str, namespace: str = "default", **labels: str) -> list[str]:
        return [obj["metadata"]["name"] for obj in self.objects(kind, namespace, **labels)]

    def objects(self, kind: str, namespace: str = "default", **labels: str) -> list[Object]:
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return self.cluster.list(kind, namespace, labels=selector)

    def pods(self, namespace: str = "default", **labels: str) -> list[Object]:
        """The Pods that are not on their way out."""
        return [pod for pod in self.objects("Pod", namespace, **labels) if "deletionTimestamp" not in pod["metadata"]]

    def ready(self, namespace: str = "default", **labels: str) -> list[Object]:
        return [pod for pod in self.pods(namespace, **labels) if condition(pod, "Ready") == "True"]

    def is_gone(self, kind: str, name: str, namespace: str = "default") -> bool:
        try:
            self.get(kind, name, namespace)
        except NotFound:
            return True
        return False

    def patch(self, kind: str, name: str, patch: Object) -> Object:
        return self.cluster.patch(kind, name, patch)

    def roll_out(self, kind: str, name: str, image: str) -> None:
        containers = [{"name": "main", "image": image}]
        self.patch(kind, name, {"spec": {"template": {"spec": {"containers": containers}}}})

    def images(self, **labels: str) -> list[str]:
        return sorted(pod["spec"]["containers"][0]["image"] for pod in self.ready(**labels))

    def comes(self, predicate: Callable[[], bool], within: float = PATIENCE) -> None:
        """It comes to be so."""
        assert self.cluster.wait_until(predicate, within)

    def stays(self, predicate: Callable[[], bool], seconds: float = 10) -> None:
        """It is so and goes on to be so; where time cannot be moved, for a moment."""
        assert predicate()
        self.cluster.advance(seconds if Capability.CLOCK in self.cluster.capabilities else MOMENT)
        assert predicate()

    def runs(self, count: int, **labels: str) -> None:
        """There come to be exactly so many Pods with these labels, and all are ready."""
        self.comes(lambda: len(self.ready(**labels)) == len(self.pods(**labels)) == count)

    def phase(self, pod: str) -> str:
        phase: str = self.status("Pod", pod).get("phase", "")
        return phase

    def node_of(self, pod: str) -> str:
        node: str = self.get("Pod", pod)["spec"].get("nodeName", "")
        return node

    def is_unschedulable(self, pod: str) -> bool:
        found = self.get("Pod", pod)
        return condition(found, "PodScheduled") == "False" and not found["spec"].get("nodeName")

    def workers(self) -> list[str]:
        """The nodes that take ordinary Pods."""
        return [
            node["metadata"]["name"] for node in self.cluster.list("Node")
            if not any(taint["effect"] != "PreferNoSchedule" for taint in node["spec"].get("taints") or ())
        ]  # fmt: skip

    def reasons(self, kind: str) -> set[str]:
        """The reasons of the events about objects of a kind."""
        return {event["reason"] for event in self.objects("Event") if event["involvedObject"]["kind"] == kind}


def condition(obj: Object, kind: str) -> str:
    """The status of a condition; empty if there is none."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((entry["status"] for entry in conditions if entry["type"] == kind), "")


def why(obj: Object, kind: str) -> str:
    """The reason of a condition."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    return next((entry.get("reason", "") for entry in conditions if entry["type"] == kind), "")


def manifest(api_version: str, kind: str, name: str, **fields: Any) -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **fields}


def container(image: str = NGINX, script: str = "", **fields: Any) -> Object:
    command = {"command": ["sh", "-c", script]} if script else {}
    return {"name": "main", "image": image, **command, **fields}


def pod(name: str, *containers: Object, labels: Mapping[str, str] | None = None, **spec: Any) -> Object:
    obj = manifest("v1", "Pod", name, spec={"containers": list(containers) or [container()], **spec})
    return {**obj, "metadata": {"name": name, "labels": dict(labels or {"app": name})}}


def requesting(**amounts: str) -> Object:
    """A container that asks for so much."""
    return container(resources={"requests": amounts})


def template(app: str, *containers: Object, **spec: Any) -> Object:
    """A Pod template whose Pods end at once when they are told to."""
    quick = {"terminationGracePeriodSeconds": 1, **spec}
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": list(containers) or [container()], **quick}}


def workload(kind: str, name: str = "web", replicas: int = 3, *containers: Object, **spec: Any) -> Object:
    """A Deployment, ReplicaSet or StatefulSet."""
    body = {
        "replicas": replicas, "selector": {"matchLabels": {"app": name}},
        "template": template(name, *containers), **spec,
    }  # fmt: skip
    return manifest("apps/v1", kind, name, spec=body)


def service(name: str = "web", port: int = 80, **spec: Any) -> Object:
    return manifest("v1", "Service", name, spec={"selector": {"app": name}, "ports": [{"port": port}], **spec})


def job(name: str, script: str, **spec: Any) -> Object:
    inside = {"spec": {"restartPolicy": "Never", "containers": [container(BUSYBOX, script)]}}
    return manifest("batch/v1", "Job", name, spec={"template": inside, **spec})


def node_affinity(key: str, operator: str, *values: str) -> Object:
    """Affinity to nodes by one expression, required."""
    term = {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}
    required = {"nodeSelectorTerms": [term]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def apart_from(app: str, topology: str = "kubernetes.io/hostname") -> Object:
    """Anti-affinity to Pods with a label, required."""
    term = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": topology}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def near(app: str, topology: str = "kubernetes.io/hostname") -> Object:
    """Affinity to Pods with a label, required."""
    term = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": topology}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
