"""Our kubelets, kube-proxy and CoreDNS below a real control plane, in real time.

They are the very components of the embedded cluster.  There virtual time drives them; here a thread does, which lets
each work whenever a watch has news or one of its timers is due by the wall clock.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from autograder.clusters.interface import ClusterError, Object
from autograder.clusters.local.sharing import SharedPorts, SharedTerminal
from autograder.controlplane import node_shell
from autograder.controlplane.addons import create_addons
from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import AlreadyExists, StatusError
from autograder.controlplane.apimachinery.node_connection import ExecResult, LogOptions, Ports, Terminal
from autograder.controlplane.apimachinery.wire import ADMIN, Handler
from autograder.controlplane.bootstrap import CONTROL_PLANE_ADDRESS, node_files
from autograder.controlplane.client import Client
from autograder.controlplane.clock import SECOND, Clock
from autograder.controlplane.component import Component, Environment
from autograder.controlplane.components import FACTORIES
from autograder.controlplane.containers.machines import Machines
from autograder.controlplane.containers.routing import DNS_PROGRAM
from autograder.controlplane.etcd import Store
from autograder.controlplane.kubelet.fleet import Kubelets
from autograder.controlplane.node_shell import NodeOutput
from autograder.controlplane.supervisor import Supervisor

KUBELET: Final = "kubelet"
#: What runs on nodes, by the names of the components.
NAMES: Final = (KUBELET, "kube-proxy", DNS_PROGRAM)
#: The longest sleep, in seconds: a clock that was set is noticed after so long.
_LONGEST_SLEEP: Final = 1.0
#: Rounds of work without a pause, after which others get the lock.
_ROUNDS: Final = 50


class Nodes:
    """The machines of a cluster and what runs on them, in a thread of their own from ``start`` to ``close``.

    ``news`` is to be called whenever a watch of a component has brought something.  ``store`` leads to the etcd of the
    cluster, for its clients in containers; None while it does not answer.
    """

    def __init__(self, store: Callable[[], Store | None] = lambda: None) -> None:
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._ending = threading.Event()
        self._clock = Clock(_now())
        self._machines = Machines(self._clock)
        self._machines.store = store
        self._handle: Handler | None = None
        self._supervisor: Supervisor | None = None
        self._thread = threading.Thread(target=self._run, name="nodes", daemon=True)
        self.failure = ""

    def news(self) -> None:
        """Something has come; look at it."""
        self._news.set()

    def start(self, handle: Handler, nodes: Sequence[Object], without: Iterable[str] = ()) -> None:
        """Begin to play the nodes, whose Node objects are there."""
        self._handle = handle
        environment = Environment(handle, self._clock, 0, self._machines)
        factories = {name: FACTORIES[name] for name in NAMES}
        self._supervisor = Supervisor(environment, factories, held={*without} & {*NAMES})
        for node in nodes:
            self._machines.set_disk(node["metadata"]["name"], node_files(node))
        self._supervisor.start_all()
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ending.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def running(self) -> list[str]:
        """The components that run."""
        return list(self._supervisor.names()) if self._supervisor else []

    def stop_component(self, name: str) -> None:
        """Stop a component on every node; its containers and rules stay as they are."""
        with self._lock:
            self._components.stop(name)

    def start_component(self, name: str) -> None:
        """Start a component again; it begins by listing what there is."""
        with self._lock:
            self._components.start(name)
        self._news.set()

    def power_off(self, node: str) -> None:
        """Cut the power of a node."""
        self._with_kubelets(lambda kubelets: kubelets.power_off(node), node)

    def power_on(self, node: str) -> None:
        """Give a node its power back."""
        self._with_kubelets(lambda kubelets: kubelets.power_on(node), node)

    def command(self, node: str, line: str) -> NodeOutput:
        """What a command line prints in a shell on a node; raises ``ValueError`` for a node that there is not."""
        with self._lock:
            assert self._handle is not None
            client = Client(self._handle, ADMIN, trusted=True)
            services = _Services(self._components.component(KUBELET))
            output = node_shell.run(self._machines, services, client, node, line)
        self._news.set()
        return output

    def logs(self, node: str, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """The log of a container, as its kubelet gives it; raises ``StatusError``."""
        with self._lock:
            kubelets = self._kubelets()
            return kubelets.logs(node, namespace, pod, container, options)

    def exec(
        self, node: str, namespace: str, pod: str, container: str, command: Sequence[str], stdin: str
    ) -> ExecResult:
        """Run a command in a container; raises ``StatusError``, and ``ValueError`` where no kubelet runs."""
        with self._lock:
            result = self._kubelets().exec(node, namespace, pod, container, command, stdin)
        self._news.set()
        return result

    def shell(self, node: str, namespace: str, pod: str, container: str, command: Sequence[str]) -> Terminal | None:
        """Run a shell in a container, for somebody who types; None for what is none; raises as ``exec``."""
        with self._lock:
            shell = self._kubelets().shell(node, namespace, pod, container, command)
        return shell and SharedTerminal(shell, self._lock, self._news)

    def attach(self, node: str, namespace: str, pod: str, container: str) -> Terminal:
        """Connect to the program that a container runs; raises as ``exec``."""
        with self._lock:
            return SharedTerminal(self._kubelets().attach(node, namespace, pod, container), self._lock, self._news)

    def watched(self, node: str, namespace: str, pod: str, container: str) -> Callable[[], bool]:
        """A way to see whether what a container runs now has ended; raises ``ValueError`` where no kubelet runs."""
        try:
            terminal = self.attach(node, namespace, pod, container)
        except StatusError:
            return lambda: True
        return lambda: terminal.exit_code is not None

    def ports(self, node: str, namespace: str, pod: str) -> Ports:
        """The ports of a pod; raises as ``exec``."""
        with self._lock:
            return SharedPorts(self._kubelets().ports(node, namespace, pod), self._lock, self._news)

    def node_at(self, address: str) -> str:
        """The name of the node of an address or name; '' if there is none or it does not answer."""
        with self._lock:
            name = self._machines.host_at.get(address, address)
            host = self._machines.hosts.get(name)
            return name if host is not None and host.powered and KUBELET in self.running() else ""

    def check(self) -> None:
        """Raise ``ClusterError`` if the nodes have broken down."""
        if self.failure:
            raise ClusterError(f"the simulated nodes have failed: {self.failure}")

    @property
    def _components(self) -> Supervisor:
        """What runs on the nodes, from ``start`` on."""
        assert self._supervisor is not None
        return self._supervisor

    def _with_kubelets(self, action: Callable[[Kubelets], None], node: str) -> None:
        with self._lock:
            if node not in self._machines.hosts:
                raise ValueError(f"there is no node {node}")
            action(self._kubelets())
        self._news.set()

    def _kubelets(self) -> Kubelets:
        kubelets = self._components.component(KUBELET)
        if not isinstance(kubelets, Kubelets):
            raise ValueError("the kubelets of this cluster are stopped")
        return kubelets

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                self._news.clear()
                with self._lock:
                    rested = self._work()
                    due = self._clock.next_due()
                pause = _LONGEST_SLEEP if due is None else min(_LONGEST_SLEEP, (due - _now()) / SECOND)
                if rested and pause > 0:
                    self._news.wait(pause)
        except Exception as error:  # told to whoever uses the cluster next: a thread has nobody to raise it to
            self.failure = f"{type(error).__name__}: {error} ({traceback.format_tb(error.__traceback__)[-1].strip()})"

    def _work(self) -> bool:
        """Let every component do what is due; whether nothing is left to do now.

        The programs of the control plane are processes here: what becomes of their containers makes no difference.
        """
        components = self._components
        for _ in range(_ROUNDS):
            self._clock.now = max(self._clock.now, _now())
            worked = False
            while timer := self._clock.pop_due():
                worked = True
                if timer.component == Machines.name:
                    self._machines.fire(timer.key)
                elif (component := components.component(timer.component)) is not None:
                    component.fire(timer.key)
            for _, component in components.components():
                worked |= component.sync()
            worked |= components.follow_programs()
            if not worked:
                return True
        return False


class _Services:
    """The kubelets, as systemd on a node sees them."""

    def __init__(self, kubelets: Component | None) -> None:
        self._kubelets = kubelets if isinstance(kubelets, Kubelets) else None

    def kubelet_runs(self, node: str) -> bool:
        return self._kubelets is not None and self._kubelets.runs(node)

    def stop_kubelet(self, node: str) -> None:
        self._all().halt(node)

    def start_kubelet(self, node: str) -> None:
        self._all().resume(node)

    def _all(self) -> Kubelets:
        if self._kubelets is None:
            raise ValueError("the kubelets of this cluster are stopped")
        return self._kubelets


def register(client: Client, nodes: Sequence[Object], authority: str) -> None:
    """Create what ``kubeadm`` leaves in a new cluster: the Nodes, and what runs in ``kube-system``."""
    for node in nodes:
        client.create(scheme.NODES, "", node)
    try:
        create_addons(client, CONTROL_PLANE_ADDRESS, authority)
    except AlreadyExists as error:
        raise ClusterError(f"the new cluster is not empty: {error}") from error


def _now() -> int:
    """The time of the wall clock, in microseconds."""
    return time.time_ns() // 1000
