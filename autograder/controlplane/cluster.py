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
from autograder.controlplane.containers.routing import DNS_PROGRAM
from autograder.controlplane.etcd import UNREACHABLE, MemoryStore, Store
from autograder.controlplane.kube_apiserver.authentication import signing_key
from autograder.controlplane.kube_apiserver.backend import Backend, stamp
from autograder.controlplane.kube_apiserver.server import APIServer
from autograder.controlplane.node_shell import NodeOutput
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
        self._running: dict[str, Component] = {}
        self.machines = Machines(self.clock, seed)
        self.machines.store = self._store
        self.api = APIServer(backend, self._nodes_connection, key=signing_key(seed, secret))
        backend.health = self._health
        #: Components that somebody has stopped, and those of whose programs no container runs any more.
        self._held = stopped = set(without)
        self._down: set[str] = set()
        unknown = stopped.difference(COMPONENTS)
        if unknown:
            raise ValueError(f"no component is called {', '.join(sorted(unknown))}; there are {', '.join(COMPONENTS)}")
        create_initial_objects(self.client(), DEFAULT_NODES if nodes is None else nodes, system_pods=nodes is None)
        create_default_roles(Backend(store, self.clock, random.Random(f"{seed}/bootstrap-rbac")))
        if nodes is None:
            for node in DEFAULT_NODES:
                self.machines.set_disk(node["metadata"]["name"], node_files(node))
        for name in COMPONENTS:
            if name not in stopped:
                self.start(name)
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
            for name, component in list(self._running.items()):
                if name in failed:
                    continue
                try:
                    worked |= component.sync()
                except Exception as error:
                    failed.add(name)
                    failures.append(error)
            worked |= self._follow_programs()
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
            component = beside.get(timer.component) or self._running.get(timer.component)
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
        twin._running = {}
        twin._held, twin._down = self._held.copy(), self._down.copy()
        twin.machines = self.machines.fork(twin.clock)
        twin.machines.store = twin._store
        twin.api = self.api.fork(twin.clock, twin._nodes_connection)
        twin.api.backend.health = twin._health
        environment = twin._environment()
        for name, component in self._running.items():
            twin._running[name] = component.fork(environment)
        return twin

    def running(self) -> tuple[str, ...]:
        """The names of the components that are running."""
        return tuple(self._running)

    def stop(self, component: str) -> None:
        """Stop a component, as if its process had been frozen: its pod, if it has one, goes on to be shown.

        The name server does not answer while it is stopped, so that its pods become unready.
        """
        self._halt(component)
        self._held.add(component)
        if component == DNS_PROGRAM:
            self.machines.silent |= {component}

    def start(self, component: str) -> None:
        """Start a component that is not running; it begins by listing what there is."""
        self._begin(component)
        self._held.discard(component)
        self._down.discard(component)
        self.machines.silent -= {component}

    def _follow_programs(self) -> bool:
        """Stop the components whose containers have ended, start those whose containers run again; whether any.

        That is how a component stops when its manifest is moved out of the folder of its node, or its node goes dark.
        """
        changed = list(self.machines.programs_changed)
        self.machines.programs_changed.clear()
        for name in changed:
            if name == ETCD and not isinstance(self.store, MemoryStore):
                continue
            if not self.machines.runs_program(name):
                self._down.add(name)
                self._halt(name)
            elif name in self._down:
                self._down.discard(name)
                if name not in self._held:
                    self._begin(name)
        return bool(changed)

    def _health(self) -> dict[str, str]:
        """What those who ask the components of the control plane are told: why one is not well, or nothing."""
        found = {
            name: "" if component in self._running else _NOBODY_ANSWERS.format(port=port)
            for name, (component, port) in _ASKED_FOR_HEALTH.items()
        }
        return {**found, "etcd-0": self.store.failure}

    def _halt(self, component: str) -> None:
        if component == APIServer.name:
            self.api.available = False
            return
        if component == ETCD:
            self._memory().failure = UNREACHABLE.format(host="127.0.0.1", port=2379)
            return
        if self._running.pop(self._known(component), None) is not None:
            self.clock.cancel_all(component)

    def _begin(self, component: str) -> None:
        if component == APIServer.name:
            self.api.available = True
            return
        if component == ETCD:
            self._memory().failure = ""
            return
        if self._known(component) not in self._running:
            running = {**self._running, component: FACTORIES[component](self._environment())}
            self._running = {name: running[name] for name in COMPONENTS if name in running}

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
        return self._running.get(self._known(name))

    def _memory(self) -> MemoryStore:
        """The store, where it is one that only plays at being stopped."""
        if not isinstance(self.store, MemoryStore):
            raise ValueError("the etcd of this cluster is a process of its own")
        return self.store

    def _kubelets(self) -> Nodes:
        kubelets = self._nodes_connection()
        if kubelets is None:
            raise ValueError("the kubelets of this cluster are stopped")
        return kubelets

    def _nodes_connection(self) -> Nodes | None:
        return cast("Nodes | None", self._running.get("kubelet"))

    def _environment(self) -> Environment:
        return Environment(self.api.handle, self.clock, self.seed, self.machines, lambda: self.store.revision)

    @staticmethod
    def _known(component: str) -> str:
        if component not in COMPONENTS:
            raise ValueError(f"no component is called {component}; there are {', '.join(COMPONENTS)}")
        return component


def _raise_first(failures: list[Exception]) -> None:
    if failures:
        raise failures[0]
