"""Workers that were taken out of service, and a Deployment that was scaled afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.clusters import Cluster


def prepare(cluster: Cluster, values: Mapping[str, Any]) -> None:
    """Cordon the workers, then scale."""
    for node in ("worker-1", "worker-2"):
        cluster.patch("Node", node, {"spec": {"unschedulable": True}})
    cluster.patch("Deployment", values["name"], {"spec": {"replicas": 4}})
