"""A whole cluster: the API server, the components around it, and the virtual clock that drives them.

Everything runs in one thread.  ``settle`` lets every component work until nothing is left to do now; ``advance`` moves
the clock through whatever falls due.  ``fork`` gives a throw-away copy that goes on to the same bytes as this one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, Protocol, cast

from autograder.controlplane import node_shell
from autograder.controlplane.apimachinery.node_connection import NodeConnection
from autograder.controlplane.apimachinery.tracing import RequestTrace
from autograder.controlplane.apimachinery.wire import ADMIN, Object, Request, Response, User
from autograder.controlplane.bootstrap import create_initial_objects, node_files
from autograder.controlplane.bootstrap_rbac import create_default_roles
from autograder.controlplane.client import Client
from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.component import Component, Environment
from autograder.controlplane.components import FACTORIES
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.etcd import UNREACHABLE, MemoryStore, Store
from autograder.controlplane.kube_apiserver.authentication import signing_key
from autograder.controlplane.kube_apiserver.backend import Backend, stamp
from autograder.controlplane.kube_apiserver.server import APIServer
from autograder.controlplane.node_shell import NodeOutput
from autograder.controlplane.supervisor import Supervisor, Switches
from autograder.controlplane.timeline import Entry, timeline
from autograder.controlplane.topology import DEFAULT_NODES

#: The components that may be stopped, in the order in which they get their turn.
COMPONENTS: Final[tuple[str, ...]] = tuple(FACTORIES)

ETCD: Final = "etcd"
#: Rounds of work without the clock moving, after which something must be going in circles.
ROUND_LIMIT: Final = 10_000


#: The components of which ComponentStatuses tell, under the names that they have there, and where each answers.
_ASKED_FOR_HEALTH: Final = {
    "scheduler": ("kube-scheduler", 10259),
    "controller-manager": ("kube-controller-manager", 10257),
}
_NOBODY_ANSWERS: Final = (
    'Get "https://127.0.0.1:{port}/healthz": dial tcp 127.0.0.1:{port}: connect: connection refused'
)


class Restless(RuntimeError):
    """The components go on working without end at one moment of virtual time: a bug, not a state of a cluster."""


class Timed(Protocol):
    """What has timers without being a component: the API server, and the machines below the cluster."""

    def fire(self, key: Hashable) -> None:
        """A timer has gone off."""


class Nodes(Component, NodeConnection, Protocol):
    """The component that plays every node's kubelet."""

    def power_off(self, node: str) -> None:
        """Take the power from a node."""

    def power_on(self, node: str) -> None:
        """Give a node its power back."""

    def halt(self, node: str) -> None:
        """Stop the kubelet of one node."""

    def resume(self, node: str) -> None:
        """Start the kubelet of one node again."""

    def runs(self, node: str) -> bool:
        """Whether the kubelet of a node runs."""


class Cluster:
    """One cluster.

    ``nodes`` are Node manifests; None is the topology of kubeadm: a tainted control-plane and two workers, with the
    control plane's own pods.  ``without`` names components that are not started.  ``secret`` keeps those who know the
    seed from making tokens of their own.  ``store`` is an empty store to keep everything in.  Equal
    arguments give equal bytes.
    """

    def __init__(
        self, *, seed: int = 0, nodes: Sequence[Object] | None = None, without: Iterable[str] = (), secret: str = "",
        store: Store | None = None,
    ) -> None:  # fmt: skip
        self.seed = seed
        self.clock = Clock()
        store = MemoryStore(stamp) if store is None else store
        backend = Backend(store, self.clock, random.Random(f"{seed}/kube-apiserver"))
        self.machines = Machines(self.clock, seed)
        self.machines.store = self._store
        self.api = APIServer(backend, self._nodes_connection, key=signing_key(seed, secret))
        backend.health = self._health
        self._supervisor = Supervisor(self._environment(), FACTORIES, self._switches(), without)
        create_initial_objects(self.client(), DEFAULT_NODES if nodes is None else nodes, system_pods=nodes is None)
        create_default_roles(Backend(store, self.clock, random.Random(f"{seed}/bootstrap-rbac")))
        if nodes is None:
            for node in DEFAULT_NODES:
                self.machines.set_disk(node["metadata"]["name"], node_files(node))
        self._supervisor.start_all()
        self.settle()

    # ------------------------------------------------------------ the API

    def handle(self, request: Request) -> Response:
        """Answer one request of a client."""
        return self.api.handle(request)

    def trace(self, request: Request) -> tuple[Response, RequestTrace]:
        """Answer one request, and tell each step that it passed and what it cost."""
        return self.api.trace(request)

    def client(self, user: User = ADMIN, *, trusted: bool = False) -> Client:
        """The API as a user sees it; objects that go in are decoded strictly unless the user is trusted."""
        return Client(self.api.handle, user, trusted=trusted)

    @property
    def store(self) -> Store:
        """The etcd of the cluster."""
        return self.api.backend.store

    def _store(self) -> Store:
        return self.store

    def timeline(self, since_revision: int = 0) -> list[Entry]:
        """Everything that was written after a revision: who, what, when and because of what; the oldest first."""
        return timeline(self.api.chronicle, self.store, since_revision)

    # ------------------------------------------------------------ time

    def settle(self) -> None:
        """Let every component work until nothing is left to do at this moment.

        What one of them raises is raised when the others have done their work.
        """
        failures: list[Exception] = []
        self._work(failures)
        _raise_first(failures)

    def _work(self, failures: list[Exception]) -> None:
        """Settle, and note what was raised; a component that has failed does nothing more at this moment."""
        failed: set[str] = set()
        for _ in range(ROUND_LIMIT):
            self._fire_due(failures)
            worked = False
            for name, component in self._supervisor.components():
                if name in failed:
                    continue
                try:
                    worked |= component.sync()
                except Exception as error:
                    failed.add(name)
                    failures.append(error)
            worked |= self._supervisor.follow_programs()
            due = self.clock.next_due()
            if not worked and (due is None or due > self.clock.now):
                return
        raise Restless(f"still busy at {self.clock.now} after {ROUND_LIMIT} rounds")

    def advance(self, seconds: float) -> None:
        """Let virtual time pass; everything that falls due happens in its order."""
        self.run_to(self.clock.now + round(seconds * SECOND))

    def run_to(self, moment: int) -> None:
        """Let virtual time pass up to a moment, in microseconds; never goes back."""
        failures: list[Exception] = []
        self._work(failures)
        while (due := self.clock.next_due()) is not None and due <= moment:
            self.clock.now = max(self.clock.now, due)
            self._work(failures)
        self.clock.now = max(self.clock.now, moment)
        _raise_first(failures)

    def run_until(self, done: Callable[[], bool], *, timeout: float) -> bool:
        """Let virtual time pass until ``done``, at most ``timeout`` seconds; whether it came to that."""
        end = self.clock.now + round(timeout * SECOND)
        self.settle()
        while not done():
            due = self.clock.next_due()
            if due is None or due > end:
                self.clock.now = max(self.clock.now, end)
                return done()
            self.clock.now = max(self.clock.now, due)
            self.settle()
        return True

    def _fire_due(self, failures: list[Exception]) -> None:
        beside: dict[str, Timed] = {APIServer.name: self.api, Machines.name: self.machines}
        while timer := self.clock.pop_due():
            component = beside.get(timer.component) or self._supervisor.component(timer.component)
            try:
                if component is not None:
                    component.fire(timer.key)
            except Exception as error:
                failures.append(error)

    # ------------------------------------------------------------ copies and failures

    def fork(self) -> Cluster:
        """A copy of the whole cluster; neither side sees what becomes of the other."""
        twin = object.__new__(Cluster)
        twin.seed = self.seed
        twin.clock = self.clock.fork()
        twin.machines = self.machines.fork(twin.clock)
        twin.machines.store = twin._store
        twin.api = self.api.fork(twin.clock, twin._nodes_connection)
        twin.api.backend.health = twin._health
        twin._supervisor = self._supervisor.fork(twin._environment(), twin._switches())
        return twin

    def running(self) -> tuple[str, ...]:
        """The names of the components that are running."""
        return self._supervisor.names()

    def stop(self, component: str) -> None:
        """Stop a component, as if its process had been frozen: its pod, if it has one, goes on to be shown.

        The API server and etcd can be stopped too, the latter where it is no process of its own.
        """
        self._supervisor.stop(component)

    def start(self, component: str) -> None:
        """Start a component that is not running; it begins by listing what there is."""
        self._supervisor.start(component)

    def _health(self) -> dict[str, str]:
        """What those who ask the components of the control plane are told: why one is not well, or nothing."""
        found = {
            name: "" if component in self.running() else _NOBODY_ANSWERS.format(port=port)
            for name, (component, port) in _ASKED_FOR_HEALTH.items()
        }
        return {**found, "etcd-0": self.store.failure}

    def _switches(self) -> Switches:
        """What is stopped like a component; an etcd that is a process of its own is stopped by whoever runs that."""
        store, api = self.store, self.api

        def switch_api(on: bool) -> None:
            api.available = on

        def switch_etcd(on: bool) -> None:
            assert isinstance(store, MemoryStore)
            store.failure = "" if on else UNREACHABLE.format(host="127.0.0.1", port=2379)

        switches = {APIServer.name: switch_api}
        return {**switches, ETCD: switch_etcd} if isinstance(store, MemoryStore) else switches

    def power_off(self, node: str) -> None:
        """Take the power from a node: its kubelet falls silent and its containers die."""
        self._kubelets().power_off(node)

    def power_on(self, node: str) -> None:
        """Give a node its power back."""
        self._kubelets().power_on(node)

    def node_shell(self, node: str, command: str) -> NodeOutput:
        """Run a command line in a shell of root on a node; ``ValueError`` for a node that has no machine."""
        output = node_shell.run(self.machines, self, self.client(), node, command)
        self.settle()
        return output

    def kubelet_runs(self, node: str) -> bool:
        """Whether the kubelet of a node runs."""
        kubelets = self._nodes_connection()
        return kubelets is not None and kubelets.runs(node)

    def stop_kubelet(self, node: str) -> None:
        """Stop the kubelet of one node; its containers go on."""
        self._kubelets().halt(node)

    def start_kubelet(self, node: str) -> None:
        """Start the kubelet of one node again."""
        self._kubelets().resume(node)

    def component(self, name: str) -> Component | None:
        """A running component, for lessons that look inside; None while it is stopped."""
        return self._supervisor.component(name)

    def _kubelets(self) -> Nodes:
        kubelets = self._nodes_connection()
        if kubelets is None:
            raise ValueError("the kubelets of this cluster are stopped")
        return kubelets

    def _nodes_connection(self) -> Nodes | None:
        return cast("Nodes | None", self._supervisor.component("kubelet"))

    def _environment(self) -> Environment:
        return Environment(self.api.handle, self.clock, self.seed, self.machines, lambda: self.store.revision)


def _raise_first(failures: list[Exception]) -> None:
    if failures:
        raise failures[0]
