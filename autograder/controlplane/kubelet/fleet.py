"""The kubelets of all nodes, as one component.

It watches pods, nodes and services once for all of them, and knows on which nodes a kubelet runs.  What they do with
their pods is ``pod_manager``, what they write of their nodes ``heartbeats``, what the API server asks of them ``api``.

Whose machines there are: those of the nodes that exist when the cluster is set up, and those of nodes annotated
``kwok.x-k8s.io/node: fake`` that somebody creates.  Other Nodes are objects without a machine, and stay silent.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final, Self

from autograder.controlplane.apimachinery.node_connection import ExecResult, LogOptions, Ports, Terminal
from autograder.controlplane.apimachinery.scheme import (
    CONFIGMAPS,
    NAMESPACES,
    NETWORKPOLICIES,
    NODES,
    PODS,
    SECRETS,
    SERVICES,
)
from autograder.controlplane.apimachinery.wire import Object, User
from autograder.controlplane.client import Client, Delta, EventRecorder, InformerFactory
from autograder.controlplane.client.informer import by_namespace, by_node
from autograder.controlplane.component import Environment
from autograder.controlplane.containers import network_policy
from autograder.controlplane.kubelet import node_status
from autograder.controlplane.kubelet.api import KubeletAPI
from autograder.controlplane.kubelet.heartbeats import Heartbeats
from autograder.controlplane.kubelet.mirrors import Mirrors
from autograder.controlplane.kubelet.pod_manager import PodManager
from autograder.controlplane.kubelet.surroundings import Surroundings
from autograder.controlplane.kubelet.timing import COMPONENT

USER: Final = "system:node"
GROUPS: Final = ("system:nodes",)


class Kubelets:
    """All kubelets; ``timing`` names the timers that they set."""

    name = COMPONENT

    def __init__(self, environment: Environment) -> None:
        client = environment.client(USER, *GROUPS)
        self._connect(environment, InformerFactory(client), EventRecorder(client, environment.clock, COMPONENT), {})
        self._joined: dict[str, None] = {}
        #: Nodes whose kubelet somebody has stopped there.
        self._halted: dict[str, None] = {}
        self._managed = PodManager(self._surroundings, self._mirrors, self._halted)
        self._started = False

    def fork(self, environment: Environment) -> Self:
        twin = object.__new__(type(self))
        client = environment.client(USER, *GROUPS)
        recorder = self._recorder.fork(client, environment.clock)
        twin._connect(environment, self._informers.fork(client), recorder, self._mirrors.completed.copy())
        twin._joined, twin._halted, twin._started = self._joined.copy(), self._halted.copy(), self._started
        twin._managed = self._managed.fork(twin._surroundings, twin._mirrors, twin._halted)
        return twin

    def _connect(
        self, environment: Environment, informers: InformerFactory, recorder: EventRecorder,
        completed: dict[str, Object],
    ) -> None:  # fmt: skip
        # The group stands in for the Node authorizer, which lets a kubelet create the mirrors of its own pods.
        strict = Client(environment.handle, User(USER, (*GROUPS, "system:masters", "system:authenticated")))
        self._machines = environment.machines
        self._informers = informers
        self._recorder = recorder
        self._nodes = informers.informer(NODES)
        self._pods = informers.informer(PODS, node=by_node)
        self._services = informers.informer(SERVICES, namespace=by_namespace)
        self._configuration = (informers.informer(CONFIGMAPS), informers.informer(SECRETS))
        self._policies = informers.informer(NETWORKPOLICIES)
        self._namespaces = informers.informer(NAMESPACES)
        self._surroundings = Surroundings(
            environment.client(USER, *GROUPS), recorder, environment.clock, self._machines, self._nodes, self._pods,
            self._services,
        )  # fmt: skip
        self._heartbeats = Heartbeats(self._surroundings)
        self._mirrors = Mirrors(self._surroundings, strict, completed)

    # The component.

    def sync(self) -> bool:
        worked = self._informers.has_news() and self._hear()
        written = self._machines.volumes.written
        for host in [host for host in written if self.runs(host)]:
            worked = True
            del written[host]
            self._managed.read_manifests(host)
        worked |= self._managed.sync()
        return worked or bool(self._machines.changed) or any(map(self.runs, written))

    def fire(self, key: Hashable) -> None:
        assert isinstance(key, tuple)
        what, name = key
        if name in self._halted:
            return
        if what == "pod":
            self._managed.time_has_come(name)
        elif what == "volumes":
            self._managed.refresh(name)
        elif what == "manifests":
            self._managed.read_manifests(name)
        elif what == "lease":
            self._heartbeats.renew_lease(name)
        else:
            self._heartbeats.post_status(name)

    def _hear(self) -> bool:
        """Take in what the watches brought; whether there is something to do about it."""
        worked = False
        first = not self._started and not self._machines.hosts
        for delta in self._nodes.sync():
            worked = True
            self._hear_node(delta, first=first)
        starting, self._started = not self._started, True
        self._services.sync()
        self._follow_policies()
        for informer in self._configuration:
            for delta in informer.sync():
                if delta.old is not None and delta.new is not None:
                    self._managed.refresh_later(informer.kind, delta.new)
        for delta in self._pods.sync():
            worked |= self._managed.hear(delta)
        if starting:
            self._managed.remove_orphans(self._joined)
        self._informers.caught_up()
        return worked

    def _follow_policies(self) -> None:
        """Let the network follow the NetworkPolicies of now, as the agent of a network plugin does on every node."""
        changed = [*self._policies.sync(), *self._namespaces.sync()]
        if changed:
            self._machines.policies = network_policy.read(self._policies, self._namespaces)

    # Nodes.

    def power_off(self, node: str) -> None:
        """The machine of a node loses power: no status, no lease, no containers; ``KeyError`` for an unknown node."""
        self._machines.power_off(node)
        self._heartbeats.stop(node)

    def power_on(self, node: str) -> None:
        """The machine boots, and its kubelet starts the pods' containers anew."""
        self._machines.power_on(node)
        self._restart(node)

    def halt(self, node: str) -> None:
        """Stop the kubelet of one node; its containers go on."""
        self._halted[node] = None
        self._heartbeats.stop(node)

    def resume(self, node: str) -> None:
        """Start the kubelet of a node again."""
        if node in self._halted:
            del self._halted[node]
            self._restart(node)

    def _restart(self, node: str) -> None:
        """A kubelet that was away looks after its node and all pods there again."""
        if self._nodes.get("", node) is not None:
            self._join(node)
        self._managed.wake_all(node)

    def runs(self, node: str) -> bool:
        """Whether the kubelet of a node runs."""
        return node in self._joined and node not in self._halted

    def _hear_node(self, delta: Delta, *, first: bool) -> None:
        node = delta.object
        name = node["metadata"]["name"]
        if delta.new is None:
            self._leave(name)
            return
        if name not in self._machines.hosts:
            if not first and not node_status.is_fake(node):
                return
            self._machines.add_host(name, node_status.address_of(node) or self._free_address())
        if name not in self._joined:
            self._join(name)
        host = self._machines.hosts[name]
        cidr = next((cidr for cidr in node["spec"].get("podCIDRs") or () if ":" not in cidr), "")
        if cidr and cidr != host.pod_cidr:
            self._machines.set_host(host._replace(pod_cidr=cidr))

    def _join(self, name: str) -> None:
        """A kubelet starts on a node."""
        self._joined[name] = None
        node = self._nodes.get("", name)
        if node is None or not self._machines.hosts[name].powered or name in self._halted:
            return
        self._heartbeats.start(node)
        self._managed.read_manifests(name)

    def _leave(self, name: str) -> None:
        """A node has been deleted: a real kubelet goes on; here its machine is switched off and forgotten."""
        self._joined.pop(name, None)
        self._halted.pop(name, None)
        self._heartbeats.stop(name)
        self._managed.forget_all(name)
        self._machines.remove_host(name)

    def _free_address(self) -> str:
        used = {host.address for host in self._machines.hosts.values()}
        number = len(used)
        while (address := f"10.250.{1 + number // 250}.{1 + number % 250}") in used:
            number += 1
        return address

    # The kubelet's own API.

    def logs(self, node: str, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """The log of a container; raises ``StatusError``."""
        return self._api().logs(node, namespace, pod, container, options)

    def exec(
        self, node: str, namespace: str, pod: str, container: str, command: Sequence[str], stdin: str
    ) -> ExecResult:
        """Run a command in a container; raises ``StatusError``."""
        self._managed.bring_credentials(namespace, pod)
        return self._api().exec(node, namespace, pod, container, command, stdin)

    def shell(self, node: str, namespace: str, pod: str, container: str, command: Sequence[str]) -> Terminal | None:
        """Run a shell in a container, for somebody who types; None for what is none; raises ``StatusError``."""
        self._managed.bring_credentials(namespace, pod)
        return self._api().shell(node, namespace, pod, container, command)

    def attach(self, node: str, namespace: str, pod: str, container: str) -> Terminal:
        """Connect to the program that a container runs; raises ``StatusError``."""
        self._managed.bring_credentials(namespace, pod)
        return self._api().attach(node, namespace, pod, container)

    def ports(self, node: str, namespace: str, pod: str) -> Ports:
        """The ports of a pod; raises ``StatusError``."""
        return self._api().ports(node, namespace, pod)

    def _api(self) -> KubeletAPI:
        return KubeletAPI(self._surroundings, self._managed.waiting_reason, self._halted)
