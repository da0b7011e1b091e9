"""Waiting in real time until a cluster has done what it had to do: nothing that is wanted or runs changes any more."""

from __future__ import annotations

import time
from typing import Final, Protocol

from autograder.clusters.interface import Object

#: Kinds that show that somebody works.
_WORK: Final = ("Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "EndpointSlice", "ServiceAccount")
_LOOK_AGAIN: Final = 0.25


class Listed(Protocol):
    """What can be listed, such as a ``Cluster``."""

    def list(self, kind: str, namespace: str) -> list[Object]:
        """The objects of a kind; in all namespaces of interest for ``""``."""


def wait_until_quiet(cluster: Listed, still: float, longest: float) -> bool:
    """Wait until nothing has changed for ``still`` seconds, at most ``longest``; whether it came to that."""
    end = time.monotonic() + longest
    seen, since = _versions(cluster), time.monotonic()
    while time.monotonic() - since < still:
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_AGAIN)
        if (now := _versions(cluster)) != seen:
            seen, since = now, time.monotonic()
    return True


def _versions(cluster: Listed) -> frozenset[tuple[str, str]]:
    found = (obj["metadata"] for kind in _WORK for obj in cluster.list(kind, ""))
    return frozenset((meta["uid"], meta["resourceVersion"]) for meta in found)
