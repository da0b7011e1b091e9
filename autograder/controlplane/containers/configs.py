"""What the kubelet asks the runtime for, and the containers that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from autograder.controlplane.containers.dns import resolv_conf
from autograder.controlplane.containers.images import Image
from autograder.controlplane.containers.records import NOTHING, Container, Mount, PodPort, Process, Sandbox
from autograder.controlplane.containers.syntax import command_of

#: Where the credentials of a pod are mounted, which no server looks at.
_SECRETS: Final = "/var/run/secrets/"


class SandboxConfig(NamedTuple):
    """The sandbox that a pod is to have; the fields are those of ``Sandbox``."""

    pod_uid: str
    namespace: str
    name: str
    host: str
    hostname: str
    host_network: bool = False
    labels: Mapping[str, str] = NOTHING
    attempt: int = 0
    dns_policy: str = "ClusterFirst"
    ports: tuple[PodPort, ...] = ()


@dataclass(frozen=True, slots=True)
class ContainerConfig:
    """The container that a pod is to have; ``memory_limit`` and ``memory_use`` are bytes."""

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


def new_container(container_id: str, config: ContainerConfig, sandbox: Sandbox, now: int) -> Container:
    """A container of a sandbox that is not running yet; ``now`` in microseconds."""
    env = dict(config.env)
    if config.tty or config.stdin:
        env.setdefault("TERM", "xterm")
    first = Process(
        1, config.argv, frames=(("node", command_of(config.argv)),), variables=env, cwd=config.workdir, wake=now,
        memory=config.memory_use,
    )  # fmt: skip
    return Container(
        container_id, config.name, sandbox.pod_uid, sandbox.host, config.image, config.image_text, config.image_ref,
        sandbox.hostname, config.argv, env, config.workdir, config.mounts, config.attempt, now,
        memory_limit=config.memory_limit, user=config.image.user if config.user is None else config.user,
        read_only_root=config.read_only_root, target=config.target, tty=config.tty,
        stdin_once=config.stdin_once, listens=config.tty or config.stdin,
        processes=(first,), next_pid=2,
        files={"/etc/resolv.conf": resolv_conf(sandbox.namespace)} if sandbox.asks_cluster_dns else {},
    )  # fmt: skip


def does_what_its_image_is_for(container: Container) -> bool:
    """Whether a container runs what its image is for, and nothing else can make a difference to how it starts."""
    image = container.image
    return (
        container.argv == (*image.entrypoint, *image.command)
        and not container.processes[0].memory
        and all(mount.path.startswith(_SECRETS) for mount in container.mounts)
    )
