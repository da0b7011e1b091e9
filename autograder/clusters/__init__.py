"""Every kind of cluster behind one interface; checks and exercises know no other way to a cluster."""

from autograder.clusters.applying import apply
from autograder.clusters.inside import HttpAnswer, drain, request
from autograder.clusters.interface import (
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
    Capability,
    Cluster,
    ClusterError,
    NotSupportedHere,
    Object,
    need,
)
from autograder.clusters.opening import open_cluster

__all__ = [
    "JSON_PATCH",
    "MERGE_PATCH",
    "STRATEGIC_MERGE_PATCH",
    "Capability",
    "Cluster",
    "ClusterError",
    "HttpAnswer",
    "NotSupportedHere",
    "Object",
    "apply",
    "drain",
    "need",
    "open_cluster",
    "request",
]
