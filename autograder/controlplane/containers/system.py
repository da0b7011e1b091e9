"""The machine as a process in one container sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from autograder.controlplane.containers.dns import Zone, is_address, resolve
from autograder.controlplane.containers.files import FileView
from autograder.controlplane.containers.network import Answer, NoNameServer, Source
from autograder.controlplane.containers.records import Container, Process

if TYPE_CHECKING:
    from autograder.controlplane.containers.machines import Machines
    from autograder.controlplane.etcd import Store

#: Signals that a process cannot handle.
_UNSTOPPABLE: Final = frozenset({"KILL", "STOP"})


class ContainerSystem:
    """The machine as a process in one container sees it."""

    def __init__(self, machines: Machines, container_id: str) -> None:
        self._machines = machines
        self._id = container_id
        self.now = machines.clock.now

    @property
    def container(self) -> Container:
        return self._machines.containers[self._id]

    @property
    def files(self) -> FileView:
        return self._machines.files(self._id)

    @property
    def store(self) -> Store | None:
        """The etcd of the cluster, for its clients; None where there is none."""
        return self._machines.store() if self._machines.store else None

    def log(self, stream: str, text: str) -> None:
        self._machines.write_log(self._id, stream, text)

    def resolve(self, name: str) -> list[str]:
        """The full name and the addresses of a name; raises ``NetworkError``."""
        sandbox = self._machines.sandboxes[self.container.pod_uid]
        if name in ("localhost", sandbox.hostname):
            return [name, "127.0.0.1" if name == "localhost" else sandbox.ip]
        if is_address(name):
            return [name, name]
        if not self._machines.wire.name_server_answers(sandbox):
            raise NoNameServer(name)
        return resolve(self._machines.zone if sandbox.asks_cluster_dns else Zone(), name, sandbox.namespace)

    def request(self, url: str, *, headers: dict[str, str], timeout: float, method: str = "GET") -> Answer:
        sandbox = self._machines.sandboxes[self.container.pod_uid]
        source = Source(sandbox.ip, sandbox.host, sandbox.pod_uid)
        return self._machines.wire.request(source, url, self.resolve, headers=headers, method=method)

    @property
    def _target(self) -> Container | None:
        """The container of which this one sees the processes too."""
        own = self.container
        target = self._machines.latest(own.pod_uid, own.target) if own.target else None
        return target if target is not None and target.running else None

    def visible(self) -> tuple[Process, ...]:
        """All processes that can be seen from here, under the numbers that they have here."""
        target, own = self._target, self.container.processes
        if target is None:
            return own
        return *target.processes, *(one._replace(pid=target.next_pid - 1 + one.pid) for one in own)

    def signal(self, pid: int, name: str) -> bool:
        """Send a signal to a process that can be seen from here; whether there is one."""
        target = self._target
        if target is not None and pid < target.next_pid:
            if name in _UNSTOPPABLE and pid == 1:
                self._machines.kill(target.id)
                return True
            return self._machines.signal_process(target.id, pid, name)
        pid -= target.next_pid - 1 if target is not None else 0
        if name in _UNSTOPPABLE and pid == 1:
            # The kernel keeps a container's first process from signals of its own that it does not handle.
            return True
        return self._machines.signal_process(self._id, pid, name)

    def spawn(self, process: Process) -> int:
        """Start a process beside those of the container; its number."""
        container = self.container
        pid = container.next_pid
        started = process._replace(pid=pid, wake=self.now)
        self._machines.containers[self._id] = container._replace(
            processes=(*container.processes, started), next_pid=pid + 1
        )
        self._machines.clock.set(self._machines.name, self._id, self.now)
        return pid

    def read_line(self) -> str | None:
        """The next line that was typed; None while there is none yet, and '' when no more will come."""
        container = self.container
        line, newline, rest = container.input.partition("\n")
        if not newline and container.listens:
            return None
        self._machines.containers[self._id] = container._replace(input=rest)
        return line + newline

    def processes(self) -> tuple[Process, ...]:
        return self.container.processes
