"""A ReplicaSet that was scaled beyond what the quota has room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.clusters import Cluster


def prepare(cluster: Cluster, values: Mapping[str, Any]) -> None:
    """Ask for two Pods more than there is room for."""
    cluster.patch("ReplicaSet", values["name"], {"spec": {"replicas": 4}}, values["namespace"])
