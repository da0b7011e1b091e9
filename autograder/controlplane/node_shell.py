"""A shell on a node, as ``ssh`` gives it to an administrator: the node's files, processes and services.

It is the shell of the simulated containers with the node's own disk and a few commands more (``node_commands``).
Whatever is written takes effect: a manifest that is moved away stops its static pod, a process that is killed is dead.
Commands run at once; to sleep takes no time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from autograder.controlplane.client import Client
from autograder.controlplane.containers.applets import APPLETS
from autograder.controlplane.containers.dns import Zone, resolve
from autograder.controlplane.containers.files import FileView
from autograder.controlplane.containers.images import BUSYBOX_TOOLS, PATH, Image
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.containers.network import Answer, Source
from autograder.controlplane.containers.records import Container, ContainerState, Host, Mount, Process
from autograder.controlplane.containers.shell import Interpreter
from autograder.controlplane.containers.syntax import parse
from autograder.controlplane.containers.volumes import DISK
from autograder.controlplane.containers.words import ShellSyntaxError
from autograder.controlplane.etcd import Store
from autograder.controlplane.node_commands import COMMANDS, NO_POWER, HostProcess, NodeServices

#: The longest command line, in characters.
MAX_COMMAND: Final = 20_000
_TOOLS: Final = BUSYBOX_TOOLS - {"httpd", "busybox"} | {"bash", "curl", *COMMANDS}
_SYSTEM: Final = Image("debian", "13", 0, tools=frozenset(_TOOLS))
_VARIABLES: Final = {"HOME": "/root", "PATH": PATH, "USER": "root", "TERM": "xterm"}


class NodeOutput(NamedTuple):
    """What a command on a node printed, and its exit code."""

    stdout: str
    stderr: str
    code: int


class Services(Protocol):
    """The services that systemd runs on a node, to start and stop."""

    def kubelet_runs(self, node: str) -> bool:
        """Whether the kubelet of a node runs."""

    def stop_kubelet(self, node: str) -> None:
        """Stop the kubelet of a node; its containers go on."""

    def start_kubelet(self, node: str) -> None:
        """Start the kubelet of a node."""


def run(machines: Machines, services: Services, client: Client, node: str, command: str) -> NodeOutput:
    """Run a command line in a shell of root on a node.  Raises ``ValueError`` for a node that has no machine."""
    host = machines.hosts.get(node)
    if host is None:
        raise ValueError(f"no machine is called {node}; there are {', '.join(sorted(machines.hosts))}")
    if not host.powered:
        return NodeOutput("", NO_POWER.format(node=node), 255)
    if len(command) > MAX_COMMAND:
        return NodeOutput("", "sh: argument list too long\n", 126)
    try:
        script = parse(command)
    except (ShellSyntaxError, RecursionError) as error:
        return NodeOutput("", f"sh: syntax error: {error}\n", 2)
    system = NodeSystem(machines, services, client, host)
    process = Process(SHELL_PID, ("bash",), frames=(("node", script),), variables=_VARIABLES, cwd="/root")
    interpreter = Interpreter(process, system, APPLETS | COMMANDS, at_once=True)
    ended = interpreter.run()
    out, err = (
        "".join(text for known, text in interpreter.captured if known == stream) for stream in ("stdout", "stderr")
    )
    return NodeOutput(out, err, ended.exit_code or 0)


SHELL_PID: Final = 1999
#: The processes of the machine itself: pid, command line.
_DAEMONS: Final = (
    (1, "/sbin/init"), (512, "/usr/bin/containerd"), (538, "/usr/sbin/sshd -D"),
)  # fmt: skip


class NodeSystem(NodeServices):
    """The machine as its own shell sees it."""

    def __init__(self, machines: Machines, services: Services, client: Client, host: Host) -> None:
        self.machines = machines
        self.client = client
        self.host = host
        self.now = machines.clock.now
        self._services = services
        self._itself = Container(
            f"node:{host.name}", host.name, "", host.name, _SYSTEM, "", "", host.name, (), _VARIABLES, "/root",
            (Mount("/", DISK + host.name),), 0, 0, state=ContainerState.RUNNING,
        )  # fmt: skip

    @property
    def container(self) -> Container:
        return self._itself

    @property
    def files(self) -> FileView:
        return FileView(self.machines, self._itself)

    def log(self, stream: str, text: str) -> None:
        """What runs at once has no log."""

    def resolve(self, name: str) -> list[str]:
        host = next((host for host in self.machines.hosts.values() if host.name == name), None)
        return [name, host.address] if host else resolve(Zone(), {"localhost": "127.0.0.1"}.get(name, name), "")

    def request(self, url: str, *, headers: dict[str, str], timeout: float, method: str = "GET") -> Answer:
        source = Source(self.host.address, self.host.name)
        return self.machines.wire.request(source, url, self.resolve, headers=headers, method=method)

    def spawn(self, process: Process) -> int:
        return SHELL_PID

    def processes(self) -> tuple[Process, ...]:
        return ()

    def visible(self) -> tuple[Process, ...]:
        return ()

    def read_line(self) -> str | None:
        """Nobody types to what runs at once."""
        return ""

    def signal(self, pid: int, name: str) -> bool:
        """Send a signal to a process of a container from outside, where KILL always works."""
        for one in self.host_processes():
            if one.pid == pid and one.container is not None:
                if name == "KILL" and one.inner == 1:
                    self.machines.kill(one.container.id)
                    return True
                return self.machines.signal_process(one.container.id, one.inner, name)
        return False

    def running_containers(self) -> Iterator[Container]:
        """The containers of the node that run, oldest first."""
        return (one for one in self.containers() if one.running)

    def containers(self) -> list[Container]:
        """All containers of the node that are kept, oldest first."""
        found = (one for one in self.machines.containers.values() if one.host == self.host.name)
        return sorted(found, key=lambda one: (one.created, one.id))

    def host_processes(self) -> list[HostProcess]:
        """Every process of the machine by pid: its own daemons, the kubelet, and those of containers."""
        found = [HostProcess(pid, "root", 0, words) for pid, words in _DAEMONS]
        if self.kubelet_runs():
            found.append(HostProcess(self.kubelet_pid, "root", 0, self.kubelet_command))
        for container in self.running_containers():
            user = {0: "root", 65535: "65535"}.get(container.user, str(container.user))
            base = 2000 + int(container.id[:8], 16) % 60_000
            for process in container.processes:
                words = " ".join(process.argv)
                found.append(
                    HostProcess(base + process.pid - 1, user, container.started, words, container, process.pid)
                )
        return sorted(found, key=lambda one: one.pid)

    @property
    def store(self) -> Store | None:
        return None

    def kubelet_runs(self) -> bool:
        return self._services.kubelet_runs(self.host.name)

    def stop_kubelet(self) -> None:
        self._services.stop_kubelet(self.host.name)

    def start_kubelet(self) -> None:
        self._services.start_kubelet(self.host.name)
