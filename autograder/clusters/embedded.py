"""The cluster in this process, behind the common interface: virtual time, quick forks, all stoppable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Self

from autograder.clusters.interface import STRATEGIC_MERGE_PATCH, Capability, Object
from autograder.clusters.kinds import kind_named, kind_of
from autograder.clusters.readiness import is_ready
from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.apimachinery.wire import ADMIN, Request
from autograder.controlplane.cluster import Cluster as ControlPlane

BOOT_SECONDS: Final = 120


class EmbeddedCluster:
    """One embedded control plane, as an administrator uses it."""

    name = "embedded"
    capabilities = frozenset(Capability)

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane
        self._client = control_plane.client(ADMIN)

    @classmethod
    def boot(cls, seed: int = 0) -> Self:
        """A new cluster whose system Pods run."""
        return cls.booted(ControlPlane(seed=seed))

    @classmethod
    def booted(cls, control_plane: ControlPlane) -> Self:
        """A control plane that was just made, once its system Pods run."""
        cluster = cls(control_plane)
        cluster.settle()
        cluster.wait_until(cluster._is_up, BOOT_SECONDS)
        return cluster

    def create(self, obj: Object, namespace: str = "default") -> Object:
        kind = kind_of(obj)
        meta = obj.get("metadata")
        own = meta.get("namespace") if isinstance(meta, dict) else None
        target = (own if isinstance(own, str) and own else namespace) if kind.namespaced else ""
        return self._client.create(kind, target, obj)

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        row = kind_named(kind)
        return self._client.get(row, namespace if row.namespaced else "", name)

    def list(self, kind: str, namespace: str = "default", *, labels: str = "", fields: str = "") -> list[Object]:
        row = kind_named(kind)
        return self._client.list(row, namespace if row.namespaced else "", labels=labels, fields=fields)[0]

    def patch(
        self, kind: str, name: str, patch: Any, namespace: str = "default", *, patch_type: str = STRATEGIC_MERGE_PATCH
    ) -> Object:
        row = kind_named(kind)
        target = namespace if row.namespaced else ""
        return self._client.patch(row, target, name, patch, patch_type=patch_type)

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str = "default",
        *,
        grace_period: int | None = None,
        propagation: str = "Background",
    ) -> None:
        row = kind_named(kind)
        target = namespace if row.namespaced else ""
        self._client.delete(row, target, name, grace_period=grace_period, propagation=propagation)

    def evict(self, pod: str, namespace: str = "default") -> None:
        eviction = {
            "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace},
        }  # fmt: skip
        self._client.create(PODS, namespace, eviction, subresource="eviction", name=pod)

    def logs(self, pod: str, namespace: str = "default", container: str = "") -> str:
        query = {"container": [container]} if container else {}
        request = Request("GET", PODS.path(namespace, pod, "log"), query, user=ADMIN)
        response = self.control_plane.handle(request)
        if response.error:
            raise response.error
        return response.body if isinstance(response.body, str) else bytes(response.body).decode()

    def wait_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
        return self.control_plane.run_until(predicate, timeout=timeout)

    def settle(self) -> None:
        self.control_plane.settle()

    def advance(self, seconds: float) -> None:
        self.control_plane.advance(seconds)

    def apart(self) -> Self:
        return self.fork()

    def whole(self) -> Self:
        return self.fork()

    def troubles(self) -> Sequence[str]:
        return ()

    def close(self) -> None:
        """Nothing stays behind of a cluster in this process."""

    def fork(self) -> Self:
        return type(self)(self.control_plane.fork())

    def stop(self, component: str) -> None:
        self.control_plane.stop(component)

    def start(self, component: str) -> None:
        self.control_plane.start(component)

    def power_off(self, node: str) -> None:
        self.control_plane.power_off(node)

    def power_on(self, node: str) -> None:
        self.control_plane.power_on(node)

    def _is_up(self) -> bool:
        """Whether every Pod of the cluster's own is ready and newcomers find their ServiceAccount."""
        pods = self.list("Pod", "kube-system")
        return all(is_ready(pod) for pod in pods) and bool(self.list("ServiceAccount", "default"))
