"""From what a user writes after ``--cluster`` to a cluster that is open."""

from __future__ import annotations

from pathlib import Path

from autograder.clusters.interface import Cluster, ClusterError

FORMS = "embedded, local, kind, kind:NAME or kubeconfig:PATH[#CONTEXT]"


def open_cluster(spec: str = "embedded", *, seed: int = 0, longest_wait: float | None = None) -> Cluster:
    """Open the cluster that ``spec`` names, booted and at rest; raises ``ClusterError`` for what cannot be opened.

    ``seed`` decides the names, addresses and choices of an embedded cluster; others make their own.
    ``longest_wait`` bounds, in seconds, a single wait on a cluster whose time cannot be moved.
    """
    kind, _, rest = spec.partition(":")
    if kind == "embedded" and not rest:
        from autograder.clusters.embedded import EmbeddedCluster  # the control plane is large, and not always needed

        return EmbeddedCluster.boot(seed)
    if kind == "kubeconfig" and rest:
        from autograder.clusters.kubeconfig import (
            PATIENT,
            KubeconfigCluster,
            Pace,
        )  # the official client takes its time to import

        path, _, context = rest.rpartition("#") if "#" in rest else (rest, "", "")
        pace = PATIENT if longest_wait is None else Pace(longest_wait=longest_wait)
        return KubeconfigCluster.open(Path(path).expanduser(), context, pace)
    if kind == "local" and not rest:
        from autograder.clusters.kubeconfig import PATIENT, Pace
        from autograder.clusters.local.cluster import LocalCluster

        return LocalCluster.start_all(PATIENT if longest_wait is None else Pace(longest_wait=longest_wait))
    if kind == "kind":
        raise ClusterError(f"clusters of the kind {kind!r} are not supported yet; use --cluster embedded")
    raise ClusterError(f"no cluster is known as {spec!r}; write {FORMS}")
