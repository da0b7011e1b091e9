"""What every kind of cluster offers, so that one check gives one verdict on all of them.

Everything here can be done through the Kubernetes API of a cluster that somebody else runs.  What only some clusters
can do (fork, move the clock, stop a component, cut the power of a node) is a capability: who needs an absent one gets
``NotSupportedHere``, which the checks report as "not run there" and never as a wrong answer.

Objects are plain JSON dictionaries.  Those that come back are the cluster's own and must never be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Protocol, Self

Object = dict[str, Any]

MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


class Capability(Enum):
    """What a cluster may or may not be able to do; the value completes "this cluster cannot ..."."""

    FORK = "be forked"
    CLOCK = "move its clock"
    COMPONENTS = "stop and start a component"
    POWER = "cut the power of a node"
    CLUSTER_WIDE = "change what belongs to the whole cluster, or to its own namespaces"
    COMMANDS = "be given to commands, whose names and effects on all of it cannot be confined"
    EXEC = "run commands in containers for kubectl"
    NODES = "give a shell on its nodes"


class ClusterError(Exception):
    """The cluster could not be opened or reached; the message says what to do about it."""


class Taken(ClusterError):
    """Somebody else uses what a cluster has only once, such as a node port."""


class NotSupportedHere(Exception):
    """This kind of cluster lacks a capability that was asked for."""

    def __init__(self, cluster: str, capability: Capability) -> None:
        super().__init__(f"a cluster of the kind {cluster!r} cannot {capability.value}")
        self.capability = capability


class Cluster(Protocol):
    """One cluster, as an administrator uses it.

    ``kind`` of an object is its Kubernetes kind (``Pod``).  Without a namespace, ``default`` is meant; the namespace
    of cluster-scoped kinds is ignored.  Methods raise ``StatusError`` for what the API server refuses.
    """

    name: str
    capabilities: frozenset[Capability]

    def create(self, obj: Object, namespace: str = "default") -> Object:
        """Create an object, in its own namespace or else in the one given; returns it as the server defaulted it."""

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        """One object."""

    def list(self, kind: str, namespace: str = "default", *, labels: str = "", fields: str = "") -> list[Object]:
        """The objects of a kind in a namespace (``""``: in all), narrowed by selectors as the API spells them."""

    def patch(
        self, kind: str, name: str, patch: Any, namespace: str = "default", *, patch_type: str = STRATEGIC_MERGE_PATCH
    ) -> Object:
        """Change parts of an object."""

    def delete(
        self,
        kind: str,
        name: str,
        namespace: str = "default",
        *,
        grace_period: int | None = None,
        propagation: str = "Background",
    ) -> None:
        """Ask for an object to be deleted; does not wait until it is gone.

        ``propagation`` says what becomes of what it owns: ``Background``, ``Foreground`` or ``Orphan``.
        """

    def evict(self, pod: str, namespace: str = "default") -> None:
        """Evict a Pod, as ``kubectl drain`` does; refused while a disruption budget forbids it."""

    def logs(self, pod: str, namespace: str = "default", container: str = "") -> str:
        """What a container has written."""

    def wait_until(self, predicate: Callable[[], bool], timeout: float) -> bool:
        """Let the cluster work until ``predicate`` holds, for at most ``timeout`` seconds of its own time.

        On a cluster with a clock of ours that is virtual time; on others the predicate is polled and must hold twice.
        """

    def settle(self) -> None:
        """Let the cluster do what it has to do now."""

    def advance(self, seconds: float) -> None:
        """Let time pass: on the cluster's own clock where it has one of ours, otherwise by waiting."""

    def apart(self) -> Self:
        """A place of its own for one answer, as empty as this one was when it was opened; to be ended by ``close``.

        That is a fork where there are forks, and elsewhere other namespaces of the same cluster.
        """

    def whole(self) -> Self:
        """All of it for one answer, by the real names; put back as it was by ``close``.  Needs ``COMMANDS``."""

    def troubles(self) -> Sequence[str]:
        """What of the way to the cluster has failed since this place was made, in words: it may explain a failure."""

    def close(self) -> None:
        """Take away what was made here in a cluster that goes on without us."""

    def fork(self) -> Self:
        """A throw-away copy of the whole cluster.  Needs ``FORK``."""

    def stop(self, component: str) -> None:
        """Stop a component by its name, such as ``kube-scheduler``.  Needs ``COMPONENTS``."""

    def start(self, component: str) -> None:
        """Start a stopped component again.  Needs ``COMPONENTS``."""

    def power_off(self, node: str) -> None:
        """Cut the power of a node.  Needs ``POWER``."""

    def power_on(self, node: str) -> None:
        """Give a node its power back.  Needs ``POWER``."""


def need(cluster: Cluster, *capabilities: Capability) -> None:
    """Raise ``NotSupportedHere`` for the first of the capabilities that the cluster lacks."""
    for capability in capabilities:
        if capability not in cluster.capabilities:
            raise NotSupportedHere(cluster.name, capability)
