"""How the API server reaches a node: the kubelet's own API, for logs and for commands in containers.

A real kube-apiserver calls port 10250 of the node; here the cluster hands over an object of this form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which lines of a container's log are wanted; times in seconds, ``since_time`` in microseconds."""

    previous: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    since_seconds: int | None = None
    since_time: int | None = None
    limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command printed, and its exit code; or the failure for which it could not be run at all."""

    stdout: str
    stderr: str
    code: int
    failure: str = ""


class NodeConnection(Protocol):
    """The kubelets of a cluster.  Raises ``StatusError`` when a node or container does not answer."""

    def logs(self, node: str, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """The log of a container, or of its previous run."""

    def exec(
        self, node: str, namespace: str, pod: str, container: str, command: Sequence[str], stdin: str
    ) -> ExecResult:
        """Run a command in a container."""
