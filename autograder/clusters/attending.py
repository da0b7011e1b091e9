"""Clusters of every kind but the embedded, made ready for one student, and controlled as far as that goes.

* ``local``: a control plane of its own, which ends with this process
* ``kind``: all of a kind cluster, which is put back as it was
* ``kubeconfig``: a room in somebody's cluster (see ``room``), which is deleted

Each gives a kubeconfig, and what ``controls`` asks for.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import yaml

from autograder.clusters.connection import Connection
from autograder.clusters.controls import MOST_SECONDS, Controlled, wall_clock
from autograder.clusters.interface import Capability, ClusterError, NotSupportedHere, Object
from autograder.clusters.kinds import kind_named
from autograder.clusters.quiet import wait_until_quiet
from autograder.clusters.readiness import ANSWERING, API_SERVER, in_order_of_start, is_ready
from autograder.clusters.relay import Relay
from autograder.clusters.room import Room
from autograder.clusters.room_relay import RoomRelay
from autograder.clusters.served import NotServed, Refused, ServedCluster
from autograder.controlplane.apimachinery.errors import StatusError
from autograder.controlplane.apimachinery.scheme import NODES, PODS

#: Seconds without a change after which a cluster is quiet, and the longest wait for that.
STILL: Final = 1.5
LONGEST: Final = 60.0
#: Seconds that nodes and the Pods of the cluster itself have to become ready.
READY: Final = 120.0
_LOOK_AGAIN: Final = 0.5


class Powers(Protocol):
    """What can be done to a cluster of ours beside its API (see ``owned.Powers``)."""

    name: str

    def stop(self, component: str) -> None: ...
    def start(self, component: str) -> None: ...
    def power_off(self, node: str) -> None: ...
    def power_on(self, node: str) -> None: ...
    def check(self) -> None: ...


@dataclasses.dataclass
class Listing:
    """What of a cluster is listed to see whether somebody works: all of it, or some namespaces."""

    connection: Connection
    namespaces: Callable[[], Iterator[str]] = lambda: iter(("",))

    def list(self, kind: str, namespace: str = "") -> list[Object]:
        """The objects of a kind; the namespace is that of this listing."""
        row = kind_named(kind)
        return [
            item for name in self.namespaces() for item in json.loads(self.connection.send("GET", row, name))["items"]
        ]


class Owned(Controlled):
    """A cluster of ours with power over it; ``shell`` runs a command line on a node, if there is a way.

    Where kubectl gets there through a ``relay``, that refuses connections while the API server is stopped.
    """

    def __init__(
        self, spec: str, connection: Connection, powers: Powers,
        shell: Callable[[str, str], dict[str, Any]] | None = None, *, running: Callable[[], list[str]] | None = None,
        relay: Relay | None = None,
    ) -> None:  # fmt: skip
        self.spec = spec
        self._connection = connection
        self._powers = powers
        self._shell = shell
        self._running = running
        self._relay = relay
        self._stopped: dict[str, None] = {}
        self._dark: dict[str, None] = {}

    def now(self) -> str:
        return wall_clock()

    def running(self) -> list[str]:
        return self._running() if self._running else []

    def stopped(self) -> list[str]:
        return list(self._stopped)

    def advance(self, seconds: float) -> float:
        self._powers.check()
        return pause(seconds)

    def settle(self) -> bool:
        self._powers.check()
        if self._stopped or self._dark:  # what is not ready then is so on purpose
            return wait_until_quiet(Listing(self._connection), STILL, LONGEST)
        end = time.monotonic() + READY
        while unready := self._unready():
            if time.monotonic() > end:
                raise ClusterError(f"not ready within {READY:g} seconds: {', '.join(unready)}")
            time.sleep(_LOOK_AGAIN)
        return wait_until_quiet(Listing(self._connection), STILL, LONGEST)

    def stop(self, target: str) -> None:
        self._powers.stop(target)
        self._stopped[target] = None
        self._connection.stopped = bool(self._stopped.keys() & ANSWERING)
        if self._relay is not None and target == API_SERVER:
            self._relay.hang_up()

    def start(self, target: str) -> None:
        self._powers.start(target)
        self._stopped.pop(target, None)
        self._connection.stopped = bool(self._stopped.keys() & ANSWERING)
        if self._relay is not None and target == API_SERVER:
            self._relay.pick_up()
        if target in ANSWERING and not self._connection.stopped:
            self._wait_for_answers()

    def power_off(self, target: str) -> None:
        self._powers.power_off(target)
        self._dark[target] = None

    def power_on(self, target: str) -> None:
        self._powers.power_on(target)
        self._dark.pop(target, None)

    def command(self, node: str, line: str) -> dict[str, Any]:
        if self._shell is None:
            raise NotSupportedHere(self._powers.name, Capability.NODES)
        return self._shell(node, line)

    def put_back(self) -> None:
        """Start again what was stopped, and give nodes their power."""
        for component in in_order_of_start(self._stopped):
            self.start(component)
        for node in list(self._dark):
            self.power_on(node)

    def _wait_for_answers(self) -> None:
        """An API server whose etcd was away takes a while to find it again; nobody should meet it before."""
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            with contextlib.suppress(StatusError, ClusterError):
                self._connection.send("GET", NODES)
                return
            time.sleep(_LOOK_AGAIN)

    def _unready(self) -> list[str]:
        try:
            nodes = json.loads(self._connection.send("GET", NODES))["items"]
            pods = json.loads(self._connection.send("GET", PODS, "kube-system"))["items"]
        except (StatusError, ClusterError) as error:
            return [f"the API server: {error}"]
        return [one["metadata"]["name"] for one in (*nodes, *pods) if not is_ready(one)]


class Visited(Controlled):
    """A room in somebody's cluster.

    Where ``autograder cluster serve`` serves that cluster, and the file is the one that it wrote, its clock, components
    and nodes are ours too; what was stopped is put back by ``close``.
    """

    def __init__(self, spec: str, path: Path, context: str) -> None:
        self.spec = spec
        self._connection = Connection(path, context)
        self._control = _control_of(path)
        self._dark: dict[str, None] = {}
        self._stopped: dict[str, None] = {}
        try:
            self._room = Room(self._connection)
        except StatusError as error:
            raise ClusterError(f"{path}: the cluster gives no namespaces of our own: {error}") from error
        with contextlib.ExitStack() as undo:
            undo.callback(self._room.close)
            self._relay = RoomRelay(self._connection, self._room, secrets.token_urlsafe(24))
            undo.pop_all()

    def kubeconfig(self) -> Object:
        """What leads kubectl to the room."""
        return self._relay.kubeconfig("room", "student", "default")

    def close(self) -> None:
        """Put back what was stopped, and delete the namespaces."""
        with contextlib.ExitStack() as last:
            last.callback(self._relay.close)
            last.callback(self._room.close)
            for component in list(self._stopped):
                self.start(component)
            for node in list(self._dark):
                self.power_on(node)

    def now(self) -> str:
        return str(self._control.state()["now"]) if self._control else wall_clock()

    def running(self) -> list[str]:
        return list(self._control.state()["running"]) if self._control else []

    def stopped(self) -> list[str]:
        return list(self._stopped)

    def advance(self, seconds: float) -> float:
        if self._control is None:
            return pause(seconds)
        self._control.post("advance", seconds=seconds)
        return seconds

    def settle(self) -> bool:
        if self._control is not None:
            self._control.post("settle")
            return True
        names = self._room.names
        listing = Listing(self._connection, lambda: (names.ours(name) for name in list(names.names())))
        return wait_until_quiet(listing, STILL, LONGEST)

    def stop(self, target: str) -> None:
        self._controlled(Capability.COMPONENTS).post("stop", target=target)
        self._stopped[target] = None

    def start(self, target: str) -> None:
        self._controlled(Capability.COMPONENTS).post("start", target=target)
        self._stopped.pop(target, None)

    def power_off(self, target: str) -> None:
        self._controlled(Capability.POWER).post("power_off", target=target)
        self._dark[target] = None

    def power_on(self, target: str) -> None:
        self._controlled(Capability.POWER).post("power_on", target=target)
        self._dark.pop(target, None)

    def command(self, node: str, line: str) -> dict[str, Any]:
        raise NotSupportedHere("kubeconfig", Capability.NODES)

    def _controlled(self, capability: Capability) -> ServedCluster:
        if self._control is None:
            raise NotSupportedHere("kubeconfig", capability)
        return self._control


def pause(seconds: float) -> float:
    """Let real time pass, a minute at most; how many seconds it was."""
    passed = min(seconds, MOST_SECONDS)
    time.sleep(passed)
    return passed


def read_kubeconfig(path: Path) -> Object:
    """A kubeconfig that a program of ours has written."""
    config: Object = yaml.safe_load(path.read_text(encoding="utf-8"))
    return config


def _control_of(path: Path) -> ServedCluster | None:
    """The control of a cluster that ``autograder cluster serve`` serves, if the file is the one that it wrote."""
    served = ServedCluster(path)
    try:
        served.state()
    except (NotServed, Refused):
        return None
    return served
