"""The machines of all nodes: a container runtime on each, as kubelets drive it, and the processes in its containers.

It answers the calls of the container runtime interface at once and in virtual time; how long a real runtime takes is
the kubelet's business.  What a process does next (``processes``), it does when its timer goes off.  The state is a
handful of dictionaries of immutable records, so that a fork costs a copy of each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Final, Self

from autograder.controlplane.clock import Clock
from autograder.controlplane.containers import failures, network_policy
from autograder.controlplane.containers.addresses import NoAddressError, PodAddresses
from autograder.controlplane.containers.calls import System
from autograder.controlplane.containers.configs import (
    ContainerConfig,
    SandboxConfig,
    does_what_its_image_is_for,
    new_container,
)
from autograder.controlplane.containers.control_plane import program_of
from autograder.controlplane.containers.dns import Zone, resolve
from autograder.controlplane.containers.files import Contents, FileView
from autograder.controlplane.containers.images import PRELOADED, Image
from autograder.controlplane.containers.network import Answer, Source
from autograder.controlplane.containers.processes import COMPONENT, Processes
from autograder.controlplane.containers.records import (
    Container,
    ContainerState,
    Host,
    Listener,
    Process,
    Sandbox,
)
from autograder.controlplane.containers.routing import Rules, Wire
from autograder.controlplane.containers.shell import KILLED
from autograder.controlplane.containers.system import ContainerSystem
from autograder.controlplane.containers.volumes import Volumes

if TYPE_CHECKING:
    from autograder.controlplane.etcd import Store

#: The address of a client that is no part of the cluster.
OUTSIDE: Final = "192.0.2.1"

START_ERROR: Final = 128
UNKNOWN: Final = 255


class StartError(Exception):
    """The runtime cannot start a container or sandbox; the message is the one of containerd and runc."""


class Machines(Processes):
    """All hosts, sandboxes, containers and volumes; a component named for the runtime that it stands for."""

    name = COMPONENT

    def __init__(self, clock: Clock, seed: int = 0) -> None:
        self.clock = clock
        self.seed = seed
        self.hosts: dict[str, Host] = {}
        self.sandboxes: dict[str, Sandbox] = {}
        self.containers = {}
        #: The ids of a pod's containers, oldest first.
        self.of_pod: dict[str, tuple[str, ...]] = {}
        self.volumes = Volumes()
        #: The names of hosts by their addresses.
        self.host_at: dict[str, str] = {}
        #: Servers that images run by default, as they stand once started; only a memory of what was once worked out.
        self._served: dict[str, Process] = {}
        self.addresses = PodAddresses()
        self.changed = {}
        #: Programs of the control plane of which a container was started or has ended.
        self.programs_changed: dict[str, None] = {}
        #: Programs that are there and do not answer, since somebody has stopped their component.
        self.silent: frozenset[str] = frozenset()
        self.rules = Rules()
        self.policies = network_policy.NONE
        self.zone = Zone()
        self.wire = Wire(self, seed)
        #: Where the etcd of the cluster is, for clients in its containers; the cluster sets it.
        self.store: Callable[[], Store | None] | None = None

    def fork(self, clock: Clock) -> Self:
        """The same machines, in the same state, for a fork of the cluster."""
        twin = type(self)(clock, self.seed)
        twin.hosts, twin.host_at, twin.sandboxes = self.hosts.copy(), self.host_at.copy(), self.sandboxes.copy()
        twin.containers, twin.of_pod, twin.changed = self.containers.copy(), self.of_pod.copy(), self.changed.copy()
        twin.volumes, twin.addresses = self.volumes.fork(), self.addresses.fork()
        twin._served = self._served
        twin.programs_changed, twin.silent = self.programs_changed.copy(), self.silent
        twin.rules, twin.zone, twin.policies = self.rules, self.zone, self.policies
        twin.wire = self.wire.fork(twin)
        return twin

    def sync(self) -> bool:
        """Processes go on only when their timers go off."""
        return False

    def fire(self, key: Hashable) -> None:
        """A process of a container wants to go on."""
        assert isinstance(key, str)
        if key in self.containers:
            self.run_due(key)

    # Hosts.

    def add_host(self, name: str, address: str, images: frozenset[str] = PRELOADED) -> None:
        """Set up a machine; the images on it came with it."""
        self.hosts[name] = Host(name, address, images=dict.fromkeys(sorted(images), False))
        self.host_at[address] = name

    def remove_host(self, name: str) -> None:
        """Scrap a machine with all that runs on it."""
        for sandbox in [sandbox for sandbox in self.sandboxes.values() if sandbox.host == name]:
            self.remove_pod(sandbox.pod_uid)
        host = self.hosts.pop(name, None)
        if host is not None:
            self.host_at.pop(host.address, None)
        self.volumes.remove_disk(name)

    def set_host(self, host: Host) -> None:
        self.hosts[host.name] = host

    def power_off(self, name: str) -> None:
        """The machine loses power: every container of it is dead, and nothing answers there."""
        self.hosts[name] = self.hosts[name]._replace(powered=False)
        for sandbox in [sandbox for sandbox in self.sandboxes.values() if sandbox.host == name]:
            self.sandboxes[sandbox.pod_uid] = sandbox._replace(ready=False)
            self.addresses.release(sandbox.ip, sandbox.pod_uid)
            for container in self.containers_of(sandbox.pod_uid):
                if container.running:
                    self.exited(container, UNKNOWN, "Unknown")

    def power_on(self, name: str) -> None:
        """The machine boots; its containers stay dead until their kubelet starts new ones."""
        host = self.hosts[name]
        if not host.powered:
            self.hosts[name] = host._replace(powered=True, boots=host.boots + 1)

    def has_image(self, host: str, reference: str) -> bool:
        return reference in self.hosts[host].images

    def add_image(self, host: str, reference: str) -> None:
        """Keep an image that has been pulled."""
        found = self.hosts[host]
        self.hosts[host] = found._replace(images={**found.images, reference: True})

    def image_ref(self, host: str, image: Image) -> str:
        """How the node names an image: by its registry's digest if it was pulled, else by its own."""
        pulled = self.hosts[host].images.get(image.reference, True)
        return f"{image.name}@{image.digest}" if pulled else image.id

    # Sandboxes.

    def run_sandbox(self, wanted: SandboxConfig) -> Sandbox:
        """Give a pod its network name space and address; raises ``StartError`` when there is no address left."""
        host = self.hosts[wanted.host]
        ip, sandbox_id = host.address, self._id("sandbox", wanted.pod_uid, wanted.attempt)
        if not wanted.host_network:
            try:
                ip, self.hosts[host.name] = self.addresses.allocate(host, wanted.pod_uid)
            except NoAddressError as error:
                raise StartError(failures.network_failure(sandbox_id, str(error))) from error
        sandbox = Sandbox(sandbox_id, ip=ip, created=self.clock.now, **wanted._asdict())
        self.sandboxes[wanted.pod_uid] = sandbox
        return sandbox

    def set_labels(self, uid: str, labels: Mapping[str, str]) -> None:
        """The network policies of a pod go by its labels of now."""
        sandbox = self.sandboxes.get(uid)
        if sandbox and sandbox.labels != labels:
            self.sandboxes[uid] = sandbox._replace(labels=labels)

    def stop_sandbox(self, uid: str) -> None:
        """Take a pod off the network; its containers must have ended."""
        sandbox = self.sandboxes.get(uid)
        if sandbox:
            self.sandboxes[uid] = sandbox._replace(ready=False)
            self.addresses.release(sandbox.ip, sandbox.pod_uid)

    def remove_pod(self, uid: str) -> None:
        """Forget a pod: sandbox, containers, and the volumes that live as long as it does."""
        self.stop_sandbox(uid)
        for container_id in self.of_pod.pop(uid, ()):
            self.remove_container(container_id)
        self.sandboxes.pop(uid, None)
        self.changed.pop(uid, None)
        self.volumes.remove_of(uid)

    # Containers.

    def containers_of(self, uid: str) -> list[Container]:
        """The containers of a pod, oldest first, the dead ones that are kept included."""
        return [self.containers[container_id] for container_id in self.of_pod.get(uid, ())]

    def latest(self, uid: str, name: str) -> Container | None:
        """The newest container of a name."""
        for container_id in reversed(self.of_pod.get(uid, ())):
            container = self.containers[container_id]
            if container.name == name:
                return container
        return None

    def create_container(self, uid: str, config: ContainerConfig) -> Container:
        """Make a container that is not running yet."""
        container_id = self._id("container", uid, config.name, config.attempt, self.clock.now)
        container = new_container(container_id, config, self.sandboxes[uid], self.clock.now)
        self.containers[container_id] = container
        self.of_pod[uid] = (*self.of_pod.get(uid, ()), container_id)
        return container

    def start_container(self, container_id: str) -> None:
        """Let the first process of a container run; raises ``StartError`` when there is no such program."""
        container = self.containers[container_id]
        missing = failures.missing_program(self, container, container.argv)
        if missing:
            message = failures.start_failure(missing)
            self.containers[container_id] = container._replace(
                state=ContainerState.EXITED, exit_code=START_ERROR, reason="StartError", message=message,
                finished=self.clock.now, processes=(),
            )  # fmt: skip
            raise StartError(message)
        container = container._replace(state=ContainerState.RUNNING, started=self.clock.now)
        self.note_program(container)
        plain, image = does_what_its_image_is_for(container), container.image
        served = self._served.get(image.reference) if plain else None
        if served is not None:
            self.containers[container_id] = container._replace(processes=(served._replace(variables=container.env),))
            return
        self.containers[container_id] = container
        self.run_due(container_id)
        self.changed.pop(container.pod_uid, None)
        ran = self.containers[container_id]
        if plain and ran.running and not ran.log and ran.files == container.files and ran.processes[0].listeners:
            self._served[image.reference] = ran.processes[0]

    def signal(self, container_id: str, name: str) -> None:
        """Send a signal to the first process of a container."""
        container = self.containers[container_id]
        if container.running:
            self.signal_process(container_id, 1, name)

    def kill(self, container_id: str) -> None:
        """Send KILL from outside, which no process survives."""
        container = self.containers[container_id]
        if container.running:
            self.exited(container, KILLED, "Error")

    def set_memory_limit(self, container_id: str, limit: int) -> None:
        """Let a running container use more memory, or less (bytes; 0: as much as there is)."""
        self.containers[container_id] = self.containers[container_id]._replace(memory_limit=limit)

    def memory_used(self, container_id: str) -> int:
        """The memory that the processes of a container hold, in bytes."""
        return sum(process.memory for process in self.containers[container_id].processes)

    def remove_container(self, container_id: str) -> None:
        container = self.containers.pop(container_id, None)
        self.clock.cancel(COMPONENT, container_id)
        if container and container.pod_uid in self.of_pod:
            kept = tuple(known for known in self.of_pod[container.pod_uid] if known != container_id)
            self.of_pod[container.pod_uid] = kept

    def system_of(self, container_id: str) -> System:
        return ContainerSystem(self, container_id)

    # What processes keep: volumes and written files (a ``Disk``).

    def volume(self, key: str) -> Contents:
        return self.volumes.read(key)

    def set_volume(self, key: str, contents: Contents) -> None:
        self.volumes.write(key, contents)

    def set_disk(self, host: str, files: Contents) -> None:
        """Put files on the disk of a host, beside those that are there."""
        self.volumes.add_to_disk(host, files)

    def layer(self, container_id: str) -> Contents:
        """What was written over the image of a container."""
        found = self.containers.get(container_id)
        return found.files if found is not None else {}

    def set_layer(self, container_id: str, contents: Contents) -> None:
        self.containers[container_id] = self.containers[container_id]._replace(files=contents)

    def files(self, container_id: str) -> FileView:
        """The file system of a container."""
        return FileView(self, self.containers[container_id])

    def listeners(self, uid: str) -> list[tuple[Container, Listener]]:
        """The ports on which a pod's containers serve."""
        return [
            (container, listener)
            for container in self.containers_of(uid) if container.running
            for process in container.processes
            for listener in process.listeners
        ]  # fmt: skip

    def request(self, url: str, *, pod_uid: str = "", host: str = "") -> Answer:
        """Send an HTTP request from a pod, or from a node on which no pod's rules hold; raises ``NetworkError``.

        From a node names are not those of the cluster: the URL has to have an address.
        """
        sandbox = self.sandboxes.get(pod_uid)
        if sandbox is not None:
            newest = self.of_pod[pod_uid][-1]
            return ContainerSystem(self, newest).request(url, headers={}, timeout=0)
        found = self.hosts.get(host)
        source = Source(found.address if found else OUTSIDE, host)
        return self.wire.request(source, url, lambda name: resolve(Zone(), name, ""))

    def exec_failure(self, container_id: str, argv: tuple[str, ...]) -> str:
        """What containerd says of a command that cannot be run in a container; '' if it can."""
        container = self.containers[container_id]
        missing = failures.missing_program(self, container, argv)
        return failures.exec_failure(self._id("exec", container_id, container.next_pid), missing) if missing else ""

    # The control plane, of which some containers run the programs.

    def runs_program(self, name: str) -> bool:
        """Whether a container of the control plane runs a program."""
        return any(one.running and self._program(one) == name for one in self.containers.values())

    def note_program(self, container: Container) -> None:
        name = self._program(container)
        if name:
            self.programs_changed[name] = None

    def _program(self, container: Container) -> str:
        return program_of(container, self.sandboxes.get(container.pod_uid))

    def _id(self, *parts: object) -> str:
        return hashlib.sha256("/".join(map(str, (self.seed, *parts))).encode()).hexdigest()
