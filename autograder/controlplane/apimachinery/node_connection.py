"""How the API server reaches a node: the kubelet's own API, for logs, commands in containers and ports of pods.

A real kube-apiserver calls port 10250 of the node; here the cluster hands over an object of this form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol


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


#: Typed to a program, it says that no more will come (Ctrl-D on a line of its own).
END_OF_INPUT: Final = "\x04"


class Terminal(Protocol):
    """A program in a container that one is connected to: what it prints, and what is typed to it."""

    def poll(self) -> list[tuple[str, str]]:
        """What was printed since the last look: pairs of stream (``stdout``, ``stderr``) and text."""

    def type(self, text: str) -> None:
        """Give the program something to read."""

    def hang_up(self) -> None:
        """Tell the program that nobody is connected to it any longer."""

    @property
    def exit_code(self) -> int | None:
        """The exit code of the program; None while it runs."""

    @property
    def is_tty(self) -> bool:
        """Whether the program has a terminal, which shows what is typed."""


class HttpAnswer(NamedTuple):
    """What a program in a pod has answered."""

    status: int
    reason: str
    content_type: str
    body: str


class Ports(Protocol):
    """The ports of a pod, as whoever is in it reaches them."""

    def refusal(self, port: int) -> str:
        """Why nothing can be sent to a port; empty if something can."""

    def ask(self, port: int, method: str, target: str, headers: Mapping[str, str]) -> HttpAnswer | None:
        """Send an HTTP request to a port; None when what listens there speaks something else, or nothing does."""


class NodeConnection(Protocol):
    """The kubelets of a cluster.

    Raises ``StatusError`` when a container does not answer, and ``Unreachable`` when its node does not.
    """

    def logs(self, node: str, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """The log of a container, or of its previous run."""

    def exec(
        self, node: str, namespace: str, pod: str, container: str, command: Sequence[str], stdin: str
    ) -> ExecResult:
        """Run a command in a container."""

    def shell(self, node: str, namespace: str, pod: str, container: str, command: Sequence[str]) -> Terminal | None:
        """Run a shell in a container, for somebody who types; None for a command that is none."""

    def attach(self, node: str, namespace: str, pod: str, container: str) -> Terminal:
        """Connect to the program that a container runs."""

    def ports(self, node: str, namespace: str, pod: str) -> Ports:
        """The ports of a pod."""
