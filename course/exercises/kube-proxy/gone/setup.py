"""A DaemonSet that finds no node any more, and Pods that came too late for their rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.clusters import Cluster

SYSTEM = "kube-system"


def prepare(cluster: Cluster, values: Mapping[str, Any]) -> None:
    """Let kube-proxy run only on nodes with a label that none has, and replace the Pods afterwards."""
    patch = {"spec": {"template": {"spec": {"nodeSelector": {"disk": "ssd"}}}}}
    cluster.patch("DaemonSet", "kube-proxy", patch, SYSTEM)
    cluster.advance(60)
    for pod in cluster.list("Pod", labels=f"app={values['name']}"):
        cluster.delete("Pod", pod["metadata"]["name"])
