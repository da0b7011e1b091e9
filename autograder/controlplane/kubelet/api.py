"""The kubelet's own API, port 10250 of a node: logs of containers, commands in them, and ports of pods.

The API server reaches it as a ``NodeConnection``; texts of errors are those of pkg/kubelet/kubelet_pods.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import BadRequest, InternalError, NotFound, Unreachable
from autograder.controlplane.apimachinery.node_connection import ExecResult, LogOptions, Ports, Terminal
from autograder.controlplane.clock import SECOND
from autograder.controlplane.containers.records import Container
from autograder.controlplane.containers.terminals import Attachment, Shell, is_shell
from autograder.controlplane.kubelet import static_pods
from autograder.controlplane.kubelet.port_forwarding import PodPorts
from autograder.controlplane.kubelet.surroundings import Surroundings

#: The exit code of a command that is not there.
CANNOT_RUN: Final = 126
#: What is said of a container that has no log yet, by the reason why it waits.
_WHY: Final = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def unreachable(address: str, why: str = "connection refused") -> Unreachable:
    """What whoever calls a kubelet is told when nobody answers."""
    return Unreachable(f"dial tcp {address}:10250: connect: {why}")


class KubeletAPI:
    """Answers for all nodes but those whose kubelets are ``halted``.

    ``waiting_reason`` tells why a container of a pod (by uid) has not been created.
    """

    def __init__(
        self, surroundings: Surroundings, waiting_reason: Callable[[str, str], str], halted: Mapping[str, None]
    ) -> None:
        self._machines = surroundings.machines
        self._clock = surroundings.clock
        self._pods = surroundings.pods
        self._waiting_reason = waiting_reason
        self._halted = halted

    def logs(self, node: str, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """The log of a container; raises ``StatusError``."""
        found = self._container(node, namespace, pod, container, previous=options.previous)
        lines = list(found.log)
        since = options.since_time or 0
        if options.since_seconds is not None:
            since = self._clock.now - options.since_seconds * SECOND
        lines = [line for line in lines if line.at >= since]
        if options.tail_lines is not None:
            lines = lines[-options.tail_lines :] if options.tail_lines else []
        text = "".join(
            f"{timestamps.micro_time(line.at)[:-1]}000Z {line.text}" if options.timestamps else line.text
            for line in lines
        )
        return text if options.limit_bytes is None else text.encode()[: options.limit_bytes].decode(errors="ignore")

    def exec(
        self, node: str, namespace: str, pod: str, container: str, command: Sequence[str], stdin: str
    ) -> ExecResult:
        """Run a command in a container; raises ``StatusError``."""
        found = self._running(node, namespace, pod, container)
        if why := self._failure(found, command):
            return ExecResult("", "", CANNOT_RUN, why)
        done = self._machines.exec(found.id, tuple(command), stdin=stdin)
        return ExecResult(done.stdout, done.stderr, done.exit_code)

    def shell(self, node: str, namespace: str, pod: str, container: str, command: Sequence[str]) -> Terminal | None:
        """Run a shell in a container, for somebody who types; None for what is none; raises ``StatusError``."""
        found = self._running(node, namespace, pod, container)
        if not is_shell(tuple(command)) or self._failure(found, command):
            return None
        return Shell(self._machines, found.id, tuple(command))

    def attach(self, node: str, namespace: str, pod: str, container: str) -> Terminal:
        """Connect to the program that a container runs; raises ``StatusError``."""
        return Attachment(self._machines, self._running(node, namespace, pod, container).id)

    def ports(self, node: str, namespace: str, pod: str) -> Ports:
        """The ports of a pod; raises ``StatusError``."""
        self._check_reached(node)
        obj = self._pods.get(namespace, pod)
        if obj is None:
            raise NotFound(f"pod does not exist: {pod}_{namespace}")
        return PodPorts(self._machines, node, _uid_of(obj))

    def _running(self, node: str, namespace: str, pod: str, container: str) -> Container:
        found = next((run for run in self._runs(node, namespace, pod, container) if run.running), None)
        if found is None:  # in the words of a kubelet, which are no Status
            raise InternalError(f'container not found ("{container}")')
        return found

    def _failure(self, container: Container, command: Sequence[str]) -> str:
        """Why a command cannot be run in a container; '' if it can."""
        failure = self._machines.exec_failure(container.id, tuple(command))
        return f"error executing command in container: failed to exec in container: {failure}" if failure else ""

    def _runs(self, node: str, namespace: str, pod: str, container: str) -> list[Container]:
        """The runs of a container that the node still knows, oldest first; raises ``Unreachable``."""
        self._check_reached(node)
        known = self._machines.containers_of(self._uid(namespace, pod))
        return [run for run in known if run.name == container]

    def _uid(self, namespace: str, pod: str) -> str:
        obj = self._pods.get(namespace, pod)
        return _uid_of(obj) if obj else ""

    def _container(self, node: str, namespace: str, pod: str, container: str, *, previous: bool) -> Container:
        runs = self._runs(node, namespace, pod, container)
        if previous:
            if len(runs) < 2:
                raise BadRequest(f'previous terminated container "{container}" in pod "{pod}" not found')
            return runs[-2]
        if not runs:
            reason = self._waiting_reason(self._uid(namespace, pod), container)
            why = _WHY.get(reason, reason)
            raise BadRequest(f'container "{container}" in pod "{pod}" is waiting to start: {why}')
        return runs[-1]

    def _check_reached(self, node: str) -> None:
        """Raise ``Unreachable`` unless the kubelet of a node answers."""
        host = self._machines.hosts.get(node)
        if host is None or not host.powered:
            raise unreachable(host.address if host else node, "no route to host")
        if node in self._halted:
            raise unreachable(host.address)


def _uid_of(pod: dict[str, Any]) -> str:
    """The uid by which a node knows a pod, be it a mirror of one of its own."""
    uid: str = static_pods.mirrored(pod) or pod["metadata"]["uid"]
    return uid
