"""The node that has what is wanted is closed, since somebody repaired it and forgot to open it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.clusters import Cluster


def prepare(cluster: Cluster, values: Mapping[str, Any]) -> None:
    """Cordon it."""
    cluster.patch("Node", "worker-2", {"spec": {"unschedulable": True}})
