"""A cluster that notes what is done to it, so that a verdict can tell what a check tried out.

Looking is not noted, nor is what the cluster does by itself: that stands in its timeline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

from autograder.clusters import Cluster, Object
from autograder.controlplane.apimachinery.errors import StatusError

#: Steps that are noted of one check; one that tries something a thousand times is understood before.
MOST: Final = 200

T = TypeVar("T")


class Witness:
    """A cluster like the one it is made of, each act upon which leaves a line in ``steps``."""

    def __init__(self, cluster: Cluster, steps: list[str]) -> None:
        self._cluster = cluster
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cluster, name)

    def create(self, obj: Object, namespace: str = "default") -> Object:
        meta = obj.get("metadata") or {}
        name = meta.get("name") or f"{meta.get('generateName', '')}..."
        return self._told(f"create {obj.get('kind')} {name}", lambda: self._cluster.create(obj, namespace))

    def patch(self, kind: str, name: str, patch: Any, namespace: str = "default", **how: Any) -> Object:
        return self._told(f"patch {kind} {name}", lambda: self._cluster.patch(kind, name, patch, namespace, **how))

    def delete(self, kind: str, name: str, namespace: str = "default", **how: Any) -> None:
        self._told(f"delete {kind} {name}", lambda: self._cluster.delete(kind, name, namespace, **how))

    def evict(self, pod: str, namespace: str = "default") -> None:
        self._told(f"evict Pod {pod}", lambda: self._cluster.evict(pod, namespace))

    def advance(self, seconds: float) -> None:
        self._told(f"let {seconds:g} s pass", lambda: self._cluster.advance(seconds))

    def stop(self, component: str) -> None:
        self._told(f"stop the {component}", lambda: self._cluster.stop(component))

    def start(self, component: str) -> None:
        self._told(f"start the {component}", lambda: self._cluster.start(component))

    def power_off(self, node: str) -> None:
        self._told(f"cut the power of {node}", lambda: self._cluster.power_off(node))

    def power_on(self, node: str) -> None:
        self._told(f"give {node} its power back", lambda: self._cluster.power_on(node))

    def fork(self) -> Cluster:
        """A copy, which has the same witness."""
        return witnessed(self._cluster.fork(), self._steps)

    def _told(self, step: str, act: Callable[[], T]) -> T:
        try:
            done = act()
        except StatusError as refusal:
            self._note(f"{step}: refused ({refusal.code} {refusal.reason})")
            raise
        self._note(step)
        return done

    def _note(self, step: str) -> None:
        if len(self._steps) < MOST:
            self._steps.append(step)


def witnessed(cluster: Cluster, steps: list[str]) -> Cluster:
    """The cluster with a witness."""
    return cast("Cluster", Witness(cluster, steps))
