"""What an operating system does not have that a kind of cluster needs."""

from __future__ import annotations

import platform
import sys

from autograder.clusters.interface import ClusterError


def require_posix(what: str) -> None:
    """Raise ``ClusterError`` where there are no file locks that end with a process, and no sessions of processes."""
    if sys.platform == "win32":
        advice = "use it in WSL there, or use the embedded cluster or kubeconfig:PATH, which every system can"
        raise ClusterError(f"{what} needs Linux or macOS, and this is {platform.system()}: {advice}")
