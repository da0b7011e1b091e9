"""What the machines keep, as immutable records: a change makes a new record, so that a fork shares all of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from autograder.controlplane.containers.images import Image

#: What a container's log keeps: older lines are dropped, as a rotated file is.
MAX_LOG_LINES: Final = 5000
#: What may be typed to a container before it has read it, in characters.
MAX_INPUT: Final = 1_000_000
#: What a file system and the environment of a container may hold, in characters.
MAX_FILES_SIZE: Final = 1_000_000

#: What a record holds before there is anything to hold.
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})

Frame = tuple[Any, ...]


class LogLine(NamedTuple):
    """One line of a container's output: when (microseconds), on ``stdout`` or ``stderr``, what (newline included)."""

    at: int
    stream: str
    text: str


class Listener(NamedTuple):
    """A port on which a process serves: ``kind`` names the server, ``root`` is what it serves."""

    port: int
    kind: str
    root: str = ""


class Mount(NamedTuple):
    """A volume in a container: the volume's key, where it appears, which part of it, and whether it may be written."""

    path: str
    volume: str
    sub_path: str = ""
    read_only: bool = False


class ContainerState(StrEnum):
    """The states of the container runtime interface."""

    CREATED = "CONTAINER_CREATED"
    RUNNING = "CONTAINER_RUNNING"
    EXITED = "CONTAINER_EXITED"


class Process(NamedTuple):
    """A process: what is left to run (``frames``, top first) and what it runs in.

    ``wake`` is when it goes on by itself; None while it runs, serves or waits for a signal.  ``outputs`` are where its
    stdout and stderr go: ``stdout``, ``stderr``, ``null`` or ``file:<path>``.
    """

    pid: int
    argv: tuple[str, ...]
    frames: tuple[Frame, ...] = ()
    variables: Mapping[str, str] = NOTHING
    parameters: tuple[str, ...] = ()
    functions: Mapping[str, Any] = NOTHING
    cwd: str = "/"
    status: int = 0
    wake: int | None = None
    forever: bool = False
    listeners: tuple[Listener, ...] = ()
    handles: frozenset[str] = frozenset()
    traps: Mapping[str, str] = NOTHING
    outputs: tuple[str, str] = ("stdout", "stderr")
    exit_code: int | None = None
    memory: int = 0
    #: The second of virtual time that it was last given steps for, how many are left of them, and whether it ran out.
    window: int = 0
    left: int = 0
    throttled: bool = False
    #: Whether it waits for something to read.
    reads: bool = False


class Container(NamedTuple):
    """A container of the runtime.

    ``files`` is what was written over the image; times are microseconds.  A container with a ``target`` sees the
    processes of that container of its pod beside its own.  ``input`` is what was typed and not read yet; more may come
    while it ``listens``.  ``dropped`` counts the lines that its log has lost.
    """

    id: str
    name: str
    pod_uid: str
    host: str
    image: Image
    image_text: str
    image_ref: str
    hostname: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    workdir: str
    mounts: tuple[Mount, ...]
    attempt: int
    created: int
    memory_limit: int = 0
    user: int = 0
    read_only_root: bool = False
    state: ContainerState = ContainerState.CREATED
    started: int = 0
    finished: int = 0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    processes: tuple[Process, ...] = ()
    next_pid: int = 1
    files: Mapping[str, str | None] = NOTHING
    log: tuple[LogLine, ...] = ()
    target: str = ""
    tty: bool = False
    stdin_once: bool = False
    listens: bool = False
    input: str = ""
    dropped: int = 0

    @property
    def running(self) -> bool:
        return self.state is ContainerState.RUNNING


class PodPort(NamedTuple):
    """A port that a pod declares: its name (or ''), its number, and the port of the host that leads to it (or 0)."""

    name: str
    number: int
    protocol: str
    host_port: int = 0


class Sandbox(NamedTuple):
    """The sandbox of a pod: its network name space, and the ids of its containers, oldest first."""

    id: str
    pod_uid: str
    namespace: str
    name: str
    host: str
    ip: str
    host_network: bool
    hostname: str
    labels: Mapping[str, str]
    attempt: int
    created: int
    ready: bool = True
    dns_policy: str = "ClusterFirst"
    ports: tuple[PodPort, ...] = ()

    @property
    def asks_cluster_dns(self) -> bool:
        """Whether the pod asks the cluster's name server, and not that of its node."""
        return self.dns_policy == "ClusterFirstWithHostNet" or (
            self.dns_policy == "ClusterFirst" and not self.host_network
        )


class Host(NamedTuple):
    """The machine of a node: its address, whether it has power, the images on it, its next pod address."""

    name: str
    address: str
    powered: bool = True
    boots: int = 1
    #: References of the images on it, and whether each was pulled (or came with the machine).
    images: Mapping[str, bool] = NOTHING
    pod_cidr: str = ""
    next_address: int = 2
