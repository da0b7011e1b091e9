"""A cluster with two workers, and short ways to look at pods."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from autograder.controlplane.apimachinery.node_connection import LogOptions
from autograder.controlplane.apimachinery.scheme import EVENTS, PODS
from autograder.controlplane.cluster import Cluster
from autograder.controlplane.kubelet.fleet import Kubelets
from autograder.controlplane.topology import node

Object = dict[str, Any]


class World:
    """The cluster under test."""

    def __init__(self) -> None:
        self.cluster = Cluster(nodes=[node("worker-1", "10.250.0.11"), node("worker-2", "10.250.0.12")])
        self.client = self.cluster.client()

    def run(self, name: str, container: Object | None = None, *, seconds: float = 2, **spec: Any) -> Object:
        """Create a pod on worker-1 and give it time; ``container`` is over an nginx called c."""
        containers = [{"name": "c", "image": "nginx:1.27", **(container or {})}]
        manifest = {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, **spec.pop("metadata", {})},
            "spec": {"nodeName": "worker-1", "containers": containers, **spec},
        }  # fmt: skip
        self.client.create(PODS, "default", json.dumps(manifest).encode())  # type: ignore[arg-type]
        self.cluster.advance(seconds)
        return self.pod(name)

    def patch(self, name: str, part: str, *, seconds: float = 2, **spec: Any) -> Object:
        """Change a part of a pod's spec through a subresource, and give it time."""
        self.client.patch(PODS, "default", name, {"spec": spec}, part)
        self.cluster.advance(seconds)
        return self.pod(name)

    def sh(self, name: str, script: str, **spec: Any) -> Object:
        """Create a pod that runs a script in a BusyBox."""
        container = {"image": "busybox:1.36", "command": ["sh", "-c", script], **spec.pop("container", {})}
        return self.run(name, container, **spec)

    def pod(self, name: str) -> Object:
        return self.client.get(PODS, "default", name)

    def exists(self, name: str) -> bool:
        return any(pod["metadata"]["name"] == name for pod in self.client.list(PODS, "default")[0])

    def container(self, name: str, container: str = "c") -> Object:
        """The status of one container."""
        status = self.pod(name)["status"]
        statuses = [*status["containerStatuses"], *status.get("initContainerStatuses", ())]
        return next(one for one in statuses if one["name"] == container)

    def conditions(self, name: str) -> dict[str, str]:
        return {one["type"]: one["status"] for one in self.pod(name)["status"]["conditions"]}

    def events(self, name: str) -> list[tuple[str, str, str]]:
        """Type, reason and message of an object's events, in the order in which they began."""
        events = self.client.list(EVENTS)[0]
        return [
            (event["type"], event["reason"], event["message"])
            for event in events if event["involvedObject"]["name"] == name and event["source"]["component"] == "kubelet"
        ]  # fmt: skip

    def reasons(self, name: str) -> list[str]:
        return [reason for _, reason, _ in self.events(name)]

    @property
    def kubelets(self) -> Kubelets:
        found = self.cluster.component("kubelet")
        assert isinstance(found, Kubelets)
        return found

    def logs(self, name: str, container: str = "c", **options: Any) -> str:
        node_name = self.pod(name)["spec"]["nodeName"]
        return self.kubelets.logs(node_name, "default", name, container, LogOptions(**options))

    def exec(self, name: str, *command: str) -> tuple[str, int]:
        done = self.kubelets.exec("worker-1", "default", name, "c", command, "")
        return done.stdout + done.stderr, done.code


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def make_world() -> Callable[[], World]:
    return World
