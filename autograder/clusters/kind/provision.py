"""A kind cluster from its name: created if it is not there, with the images that exercises need, and deleted.

A creation holds a lock on a file of the cluster's name, and so does the program that creates, which goes on for a
while if we are killed.  A file whose lock is free was left by a run that was cut off in the middle: the half-made
cluster is deleted before a new one is made.  Any other cluster stays as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import IO, Any, Final

import yaml

from autograder.clusters.interface import ClusterError
from autograder.clusters.kind.engine import EngineError, Tools
from autograder.clusters.scratch import locked
from autograder.controlplane.kubelet.node_files import POD_NETWORK, SERVICE_NETWORK
from autograder.controlplane.kubelet.node_status import CAPACITY

DEFAULT_NAME: Final = "autograder"
#: Says which other node image is to be used.
IMAGE_VARIABLE: Final = "AUTOGRADER_KIND_IMAGE"
#: Built for kind v0.33.0, of the minor version that the embedded cluster is.
NODE_IMAGE: Final = "kindest/node:v1.36.4"
#: Seconds that a creation may take, its images included, and one image alone.
CREATE_SECONDS: Final = 900.0
PULL_SECONDS: Final = 300.0
DELETE_SECONDS: Final = 180.0
WORKERS: Final = 2
#: Files about a cluster: locks on its creation and on what is stopped, and the turns of those who have all of it.
KEPT: Final = ("creating", "stopped", "whole", "new", "lock")
LOOPBACK: Final = "127.0.0.1"
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,48}[a-z0-9])?")


def name_of(rest: str) -> str:
    """The name of the cluster that ``kind`` or ``kind:NAME`` means; raises ``ClusterError``."""
    name = rest or DEFAULT_NAME
    if not _NAME.fullmatch(name):
        raise ClusterError(f"no kind cluster can be called {name!r}: lower-case letters, digits, dots and dashes")
    return name


def ensure(tools: Tools, name: str) -> list[str]:
    """Make the cluster unless it is there; its node containers, the control plane first.  Raises ``ClusterError``."""
    if _half_made(name):
        delete(tools, name)
    if name not in clusters(tools):
        _create(tools, name)
    return nodes(tools, name)


def clusters(tools: Tools) -> list[str]:
    """The kind clusters of this machine."""
    return tools.run_kind("get", "clusters").split()


def nodes(tools: Tools, name: str) -> list[str]:
    """The node containers of a cluster, the control plane first."""
    found = tools.run_kind("get", "nodes", "--name", name).split()
    if f"{name}-control-plane" not in found:
        raise ClusterError(
            f"the kind cluster {name} has no node {name}-control-plane; "
            f"delete it (autograder cluster delete kind:{name}) and try again"
        )
    return sorted(found, key=lambda node: (node != f"{name}-control-plane", node))


def kubeconfig(tools: Tools, name: str) -> str:
    """The text of the administrator's kubeconfig file."""
    return tools.run_kind("get", "kubeconfig", "--name", name)


def delete(tools: Tools, name: str) -> None:
    """Delete a cluster; nothing happens if there is none."""
    tools.run_kind("delete", "cluster", "--name", name, seconds=DELETE_SECONDS)
    for what in KEPT:
        kept(name, what).unlink(missing_ok=True)


def load_images(tools: Tools, name: str, workers: list[str]) -> list[str]:
    """Bring the images that exercises need onto the workers, once; returns those that could not be had, with why.

    An image that this machine has is copied; any other, and one that cannot be copied, is pulled by the nodes.
    """
    failed = []
    wanted = images()
    missing = {node: [one for one in wanted if one not in _present(tools, node)] for node in workers}
    for image in wanted:
        late = [node for node in workers if image in missing[node]]
        if not late:
            continue
        if _is_here(tools, image) and _is_copied(tools, name, image, late):
            continue
        try:
            for node in late:
                tools.on_node(node, "crictl", "pull", image, seconds=PULL_SECONDS)
        except EngineError as error:
            failed.append(f"{image}: {error}")
    return failed


def images() -> list[str]:
    """The images that exercises and checks use, by their full names."""
    return list(_needs()["images"])


def configuration(name: str, processors: int, memory: int) -> dict[str, Any]:
    """What ``kind create cluster --config`` is given, on a machine with so many processors and bytes of memory."""
    image = os.environ.get(IMAGE_VARIABLE) or NODE_IMAGE
    ports = [
        {"containerPort": port, "hostPort": port, "listenAddress": LOOPBACK, "protocol": "TCP"}
        for port in _needs()["nodePorts"]
        if _is_free(port)  # a second cluster can do without: its nodes have the port too
    ]
    return {
        "apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster", "name": name,
        "kubeadmConfigPatches": [_kubelet(processors, memory)],
        "networking": {"podSubnet": POD_NETWORK, "serviceSubnet": SERVICE_NETWORK},
        "nodes": [
            {"role": "control-plane", "image": image, "extraPortMappings": ports},
            *({"role": "worker", "image": image} for _ in range(WORKERS)),
        ],
    }  # fmt: skip


def _kubelet(processors: int, memory: int) -> str:
    """What kubelets are told, so that nodes are as large as those of the embedded cluster, if the machine allows it.

    Every node of kind takes the machine for its own: what is too large for a node elsewhere would fit there.
    """
    spare = {
        "cpu": max(0, processors - int(CAPACITY["cpu"])),
        "memory": max(0, memory - int(CAPACITY["memory"].removesuffix("Ki")) * 1024),
    }
    reserved = {resource: str(amount) for resource, amount in spare.items() if amount}
    kubelet = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "systemReserved": reserved,
    }
    return yaml.safe_dump(kubelet)


def _create(tools: Tools, name: str) -> None:
    with _creating(name) as lock, tempfile.TemporaryDirectory() as folder:
        unused = str(Path(folder, "config"))  # or kind would change the user's own file
        try:
            tools.run_kind(
                "create", "cluster", "--name", name, "--config", "-", "--kubeconfig", unused, "--wait", "180s",
                seconds=CREATE_SECONDS, stdin=yaml.safe_dump(configuration(name, *tools.machine())),
                holding=[lock.fileno()],
            )  # fmt: skip
        except BaseException:
            with contextlib.suppress(EngineError):  # the first failure is the one to tell
                delete(tools, name)
            raise


@contextlib.contextmanager
def _creating(name: str) -> Iterator[IO[bytes]]:
    """Tell other runs that a cluster is being made; raises ``ClusterError`` while another run makes it."""
    path = _creation(name)
    lock = _lock_of_creation(name)
    try:
        lock.write(b"begun\n")
        lock.flush()
        yield lock
        path.unlink(missing_ok=True)
    finally:
        lock.close()


def _half_made(name: str) -> bool:
    """Whether a run was cut off while it made the cluster; raises ``ClusterError`` while another run makes it."""
    path = _creation(name)
    if not path.exists():
        return False
    with _lock_of_creation(name):  # it makes the file anew if the cluster was finished just now
        return path.exists() and path.stat().st_size > 0


def _lock_of_creation(name: str) -> IO[bytes]:
    lock = locked(_creation(name))
    if lock is None:
        raise ClusterError(f"another run is just creating the kind cluster {name}; wait until it has")
    return lock


def _creation(name: str) -> Path:
    return kept(name, "creating")


def kept(name: str, what: str) -> Path:
    """The file of this user about a cluster; ``what`` is one of ``KEPT``."""
    return Path(tempfile.gettempdir(), f"autograder-kind-{os.getuid()}-{name}.{what}")


def _present(tools: Tools, node: str) -> set[str]:
    """The images on a node, by all their names."""
    listed = json.loads(tools.on_node(node, "crictl", "images", "-o", "json"))
    return {tag for image in listed.get("images") or () for tag in image.get("repoTags") or ()}


def _is_here(tools: Tools, image: str) -> bool:
    try:
        tools.run_engine("image", "inspect", image)
    except EngineError:
        return False
    return True


def _is_copied(tools: Tools, name: str, image: str, workers: list[str]) -> bool:
    """Copy an image of this machine onto workers; whether that succeeds.

    ``kind load docker-image`` does not do: it knows no podman, and of an image for several platforms it wants them all,
    while the engine has pulled one.  Which one is to be saved can be said to docker since version 28 only.
    """
    platforms = [("--platform", tools.platform()), ()] if tools.engine_name == "docker" else [()]
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "image.tar")
        for platform in platforms:
            archive.unlink(missing_ok=True)  # podman does not write over one
            with contextlib.suppress(EngineError):
                tools.run_engine("save", *platform, "-o", str(archive), image, seconds=PULL_SECONDS)
                tools.run_kind("load", "image-archive", str(archive), "--name", name, "--nodes", ",".join(workers),
                               seconds=PULL_SECONDS)  # fmt: skip
                return True
    return False


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _needs() -> dict[str, Any]:
    """What exercises need, as a tool has found it in them."""
    text = resources.files("autograder.clusters.kind").joinpath("needs.json").read_text(encoding="utf-8")
    needs: dict[str, Any] = json.loads(text)
    return needs
