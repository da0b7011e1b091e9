"""From what a user writes after ``--cluster`` to a cluster that is open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from autograder.clusters.interface import Cluster, ClusterError
from autograder.clusters.systems import require_posix

if TYPE_CHECKING:
    from autograder.clusters.kubeconfig import Pace

FORMS = "embedded, local, kind, kind:NAME or kubeconfig:PATH[#CONTEXT]"


def open_cluster(spec: str = "embedded", *, seed: int = 0, longest_wait: float | None = None) -> Cluster:
    """Open the cluster that ``spec`` names, booted and at rest; raises ``ClusterError`` for what cannot be opened.

    ``seed`` decides the names, addresses and choices of an embedded cluster; others make their own.
    ``longest_wait`` bounds, in seconds, a single wait on a cluster whose time cannot be moved.
    """
    check_spec(spec)
    kind, _, rest = spec.partition(":")
    if kind == "embedded":
        from autograder.clusters.embedded import EmbeddedCluster  # the control plane is large, and not always needed

        return EmbeddedCluster.boot(seed)
    from autograder.clusters.kubeconfig import PATIENT, Pace  # the official client takes its time to import

    pace = PATIENT if longest_wait is None else Pace(longest_wait=longest_wait, longest_advance=longest_wait)
    return _open_real(kind, rest, pace)


def check_spec(spec: str) -> None:
    """Raise ``ClusterError`` for what names no kind of cluster, or a file that is not there."""
    kind, colon, rest = spec.partition(":")
    alone, named = not colon, bool(rest)
    known = {"embedded": not named, "local": alone, "kind": alone or named, "kubeconfig": alone or named}
    if not known.get(kind):
        raise ClusterError(f"no cluster is known as {spec!r}; write {FORMS}")
    if kind == "kubeconfig" and not (path := kubeconfig_of(rest)[0]).is_file():
        raise ClusterError(f"there is no file {path}")


def _open_real(kind: str, rest: str, pace: Pace) -> Cluster:
    """A cluster whose time cannot be moved."""
    if kind in ("local", "kind"):
        require_posix(f"--cluster {kind}")
    if kind == "local":
        from autograder.clusters.local.cluster import LocalCluster

        return LocalCluster.start_all(pace)
    if kind == "kind":
        from autograder.clusters.kind.cluster import KindCluster

        return KindCluster.ensure(rest, pace)
    from autograder.clusters.kubeconfig import KubeconfigCluster

    return KubeconfigCluster.open(*kubeconfig_of(rest), pace)


def kubeconfig_of(rest: str) -> tuple[Path, str]:
    """File and context of ``PATH[#CONTEXT]``; without a context, ''.  Raises ``ClusterError`` if there is no path."""
    if not rest:
        raise ClusterError(f"a kubeconfig file has to be named; write {FORMS}")
    path, _, context = rest.rpartition("#") if "#" in rest else (rest, "", "")
    return Path(path).expanduser(), context
