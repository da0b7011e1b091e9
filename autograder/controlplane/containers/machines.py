"""The machines of all nodes: a container runtime on each, as kubelets drive it, and the processes in its containers.

It answers the calls of the container runtime interface at once and in virtual time; how long a real runtime takes is
the kubelet's business.  What a process does next (``processes``), it does when its timer goes off.  The state is a
handful of dictionaries of immutable records, so that a fork costs a copy of each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from autograder.controlplane.clock import Clock
from autograder.controlplane.containers import failures, network_policy
from autograder.controlplane.containers.addresses import PodAddresses
from autograder.controlplane.containers.calls import System
from autograder.controlplane.containers.control_plane import program_of
from autograder.controlplane.containers.dns import Zone, resolv_conf, resolve
from autograder.controlplane.containers.files import Contents, FileView
from autograder.controlplane.containers.images import PRELOADED, Image
from autograder.controlplane.containers.network import Answer, Source
from autograder.controlplane.containers.processes import COMPONENT, Processes
from autograder.controlplane.containers.records import (
    Container,
    ContainerState,
    Host,
    Listener,
    Mount,
    PodPort,
    Process,
    Sandbox,
)
from autograder.controlplane.containers.routing import Rules, Wire
from autograder.controlplane.containers.shell import KILLED
from autograder.controlplane.containers.syntax import command_of
from autograder.controlplane.containers.system import ContainerSystem

if TYPE_CHECKING:
    from autograder.controlplane.etcd import Store

#: The key of a host's disk among the volumes begins with this; ``hostPath`` volumes are parts of it.
DISK: Final = "host:"

#: Where the credentials of a pod are mounted, which no server looks at.
_SECRETS: Final = "/var/run/secrets/"

#: The address of a client that is no part of the cluster.
OUTSIDE: Final = "192.0.2.1"

START_ERROR: Final = 128
UNKNOWN: Final = 255


class StartError(Exception):
    """The runtime cannot start a container; the message is the one of containerd and runc."""


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """What the kubelet asks the runtime for."""

    name: str
    image: Image
    image_text: str
    image_ref: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    workdir: str
    mounts: tuple[Mount, ...]
    attempt: int
    memory_limit: int = 0
    memory_use: int = 0
    user: int | None = None
    read_only_root: bool = False
    stdin: bool = False
    stdin_once: bool = False
    tty: bool = False
    target: str = ""


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
        self.volumes: dict[str, Contents] = {}
        #: The keys of the volumes that live as long as a pod, and the hosts by address: what is looked up often.
        self.volumes_of: dict[str, tuple[str, ...]] = {}
        self.host_at: dict[str, str] = {}
        #: Servers that images run by default, as they stand once started; only a memory of what was once worked out.
        self._served: dict[str, Process] = {}
        self.addresses = PodAddresses()
        self.changed = {}
        #: Hosts on whose disks something was written, for their kubelet to read its manifests again.
        self.written: dict[str, None] = {}
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
        twin.hosts, twin.sandboxes = self.hosts.copy(), self.sandboxes.copy()
        twin.containers, twin.of_pod = self.containers.copy(), self.of_pod.copy()
        twin.volumes, twin.addresses = self.volumes.copy(), self.addresses.fork()
        twin.volumes_of, twin.host_at = self.volumes_of.copy(), self.host_at.copy()
        twin._served = self._served
        twin.changed, twin.written = self.changed.copy(), self.written.copy()
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
        self.volumes.pop(DISK + name, None)

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

    def run_sandbox(
        self, uid: str, namespace: str, name: str, host: str, *, host_network: bool, hostname: str,
        labels: Mapping[str, str], attempt: int, dns_policy: str = "ClusterFirst", ports: tuple[PodPort, ...] = (),
    ) -> Sandbox:  # fmt: skip
        """Give a pod its network name space and address."""
        ip = self.hosts[host].address
        if not host_network:
            ip, self.hosts[host] = self.addresses.allocate(self.hosts[host], uid)
        sandbox = Sandbox(
            self._id("sandbox", uid, attempt), uid, namespace, name, host, ip, host_network, hostname, labels, attempt,
            self.clock.now, dns_policy=dns_policy, ports=ports,
        )  # fmt: skip
        self.sandboxes[uid] = sandbox
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
        for key in self.volumes_of.pop(uid, ()):
            del self.volumes[key]

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
        sandbox = self.sandboxes[uid]
        container_id = self._id("container", uid, config.name, config.attempt, self.clock.now)
        env = dict(config.env)
        if config.tty or config.stdin:
            env.setdefault("TERM", "xterm")
        first = Process(
            1, config.argv, frames=(("node", command_of(config.argv)),), variables=env, cwd=config.workdir,
            wake=self.clock.now, memory=config.memory_use,
        )  # fmt: skip
        container = Container(
            container_id, config.name, uid, sandbox.host, config.image, config.image_text, config.image_ref,
            sandbox.hostname, config.argv, env, config.workdir, config.mounts, config.attempt, self.clock.now,
            memory_limit=config.memory_limit, user=config.image.user if config.user is None else config.user,
            read_only_root=config.read_only_root, target=config.target, tty=config.tty,
            stdin_once=config.stdin_once, listens=config.tty or config.stdin,
            processes=(first,), next_pid=2,
            files={"/etc/resolv.conf": resolv_conf(sandbox.namespace)} if sandbox.asks_cluster_dns else {},
        )  # fmt: skip
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
        plain, image = _is_plain(container), container.image
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

    # What processes keep: volumes and written files.

    def volume(self, key: str) -> Contents:
        """The files of a volume; none for one that nobody has written to."""
        return self.volumes.get(key, {})

    def set_volume(self, key: str, contents: Contents) -> None:
        """Keep the files of a volume; one whose key begins with a pod's uid goes with the pod."""
        uid, of_pod, _ = key.partition("/")
        if key.startswith(DISK):
            self.written[key.removeprefix(DISK)] = None
        elif of_pod and key not in self.volumes:
            self.volumes_of[uid] = (*self.volumes_of.get(uid, ()), key)
        self.volumes[key] = contents

    def set_disk(self, host: str, files: Contents) -> None:
        """Put files on the disk of a host, beside those that are there."""
        self.set_volume(DISK + host, {**self.volume(DISK + host), **files})

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


def _is_plain(container: Container) -> bool:
    """Whether a container runs what its image is for, and nothing else can make a difference to how it starts."""
    image = container.image
    return (
        container.argv == (*image.entrypoint, *image.command)
        and not container.processes[0].memory
        and all(mount.path.startswith(_SECRETS) for mount in container.mounts)
    )
