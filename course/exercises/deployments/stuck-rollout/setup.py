"""A rollout that was begun with an image that nobody can pull."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.clusters import Cluster


def prepare(cluster: Cluster, values: Mapping[str, Any]) -> None:
    """Roll out the misspelled image."""
    containers = [{"name": "server", "image": "ngnix:1.28"}]
    cluster.patch("Deployment", values["name"], {"spec": {"template": {"spec": {"containers": containers}}}})
