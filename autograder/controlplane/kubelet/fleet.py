"""The kubelets of all nodes, as one component.

It watches pods, nodes and services once for all of them, and says whose turn it is.  What a kubelet knows of its pods
are records (``records``), what it does with one pod is ``pod_worker``, what it writes of its pods ``status_manager``,
and of its node ``heartbeats``.  Pods that stand on the node's own disk are ``static_pods`` and ``mirrors``.

Whose machines there are: those of the nodes that exist when the cluster is set up, and those of nodes annotated
``kwok.x-k8s.io/node: fake`` that somebody creates.  Other Nodes are objects without a machine, and stay silent.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final, Self

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.node_connection import ExecResult, LogOptions, Ports, Terminal
from autograder.controlplane.apimachinery.scheme import (
    CONFIGMAPS,
    NAMESPACES,
    NETWORKPOLICIES,
    NODES,
    PODS,
    SECRETS,
    SERVICES,
    ResourceType,
)
from autograder.controlplane.apimachinery.wire import Object, User
from autograder.controlplane.client import Client, Delta, EventRecorder, InformerFactory
from autograder.controlplane.client.informer import by_namespace, by_node
from autograder.controlplane.component import Environment
from autograder.controlplane.containers import network_policy
from autograder.controlplane.containers.volumes import DISK
from autograder.controlplane.kubelet import admission, node_status, resizing, static_pods, volumes
from autograder.controlplane.kubelet.api import KubeletAPI
from autograder.controlplane.kubelet.container_worker import Surroundings
from autograder.controlplane.kubelet.heartbeats import Heartbeats
from autograder.controlplane.kubelet.initial_state import initial_state
from autograder.controlplane.kubelet.mirrors import Mirrors
from autograder.controlplane.kubelet.pod_worker import PodWorker
from autograder.controlplane.kubelet.records import PodState, Stage
from autograder.controlplane.kubelet.status_manager import StatusManager
from autograder.controlplane.kubelet.timing import COMPONENT, REFRESH_PERIOD, RETRY

USER: Final = "system:node"
GROUPS: Final = ("system:nodes",)


class Kubelets:
    """All kubelets; ``timing`` names the timers that they set."""

    name = COMPONENT

    def __init__(self, environment: Environment) -> None:
        client = environment.client(USER, *GROUPS)
        self._connect(environment, InformerFactory(client), EventRecorder(client, environment.clock, COMPONENT), {})
        self._states: dict[str, PodState] = {}
        #: Pods to be looked at; True for those with which nothing has happened but that their time has come.
        self._ready: dict[str, bool] = {}
        self._joined: dict[str, None] = {}
        #: Nodes whose kubelet somebody has stopped there.
        self._halted: dict[str, None] = {}
        #: Pods that want other resources than they have, and where they are.
        self._wanting: dict[str, str] = {}
        self._started = False

    def fork(self, environment: Environment) -> Self:
        twin = object.__new__(type(self))
        client = environment.client(USER, *GROUPS)
        recorder = self._recorder.fork(client, environment.clock)
        twin._connect(environment, self._informers.fork(client), recorder, self._mirrors.completed.copy())
        twin._states = self._states.copy()
        twin._ready, twin._joined, twin._halted = self._ready.copy(), self._joined.copy(), self._halted.copy()
        twin._wanting, twin._started = self._wanting.copy(), self._started
        return twin

    def _connect(
        self, environment: Environment, informers: InformerFactory, recorder: EventRecorder,
        completed: dict[str, Object],
    ) -> None:  # fmt: skip
        client = environment.client(USER, *GROUPS)
        # The group stands in for the Node authorizer, which lets a kubelet create the mirrors of its own pods.
        strict = Client(environment.handle, User(USER, (*GROUPS, "system:masters", "system:authenticated")))
        self._clock = environment.clock
        self._machines = environment.machines
        self._informers = informers
        self._recorder = recorder
        self._nodes = informers.informer(NODES)
        self._pods = informers.informer(PODS, node=by_node)
        self._services = informers.informer(SERVICES, namespace=by_namespace)
        self._configuration = (informers.informer(CONFIGMAPS), informers.informer(SECRETS))
        self._policies = informers.informer(NETWORKPOLICIES)
        self._namespaces = informers.informer(NAMESPACES)
        self._surroundings = Surroundings(client, recorder, self._clock, self._machines, self._services)
        self._heartbeats = Heartbeats(client, recorder, self._clock, self._machines, self._nodes)
        self._mirrors = Mirrors(client, strict, self._clock, self._pods, self._nodes, completed)
        self._statuses = StatusManager(client, self._mirrors)

    # The component.

    def sync(self) -> bool:
        worked = self._informers.has_news() and self._hear()
        for host in [host for host in self._machines.volumes.written if self.runs(host)]:
            worked = True
            del self._machines.volumes.written[host]
            self._read_manifests(host)
        self._ready |= dict.fromkeys(self._machines.changed, False)
        self._machines.changed.clear()
        while self._ready:
            uid = next(iter(self._ready))
            worked |= self._sync_pod(uid, only_time=self._ready.pop(uid))
        return worked or bool(self._machines.changed) or any(map(self.runs, self._machines.volumes.written))

    def fire(self, key: Hashable) -> None:
        assert isinstance(key, tuple)
        what, name = key
        if name in self._halted:
            return
        if what == "pod":
            self._ready.setdefault(name, True)
        elif what == "volumes":
            self._refresh(name)
        elif what == "manifests":
            self._read_manifests(name)
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
                    self._refresh_later(informer.kind, delta.new)
        for delta in self._pods.sync():
            worked |= self._hear_pod(delta)
        if starting:
            self._remove_orphans()
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
        for uid, state in self._states.items():
            if state.node == node:
                self._ready[uid] = False

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
        cidr = node["spec"].get("podCIDR", "")
        if cidr and cidr != host.pod_cidr:
            self._machines.set_host(host._replace(pod_cidr=cidr))

    def _join(self, name: str) -> None:
        """A kubelet starts on a node."""
        self._joined[name] = None
        node = self._nodes.get("", name)
        if node is None or not self._machines.hosts[name].powered or name in self._halted:
            return
        self._heartbeats.start(node)
        self._read_manifests(name)

    def _leave(self, name: str) -> None:
        """A node has been deleted: a real kubelet goes on; here its machine is switched off and forgotten."""
        self._joined.pop(name, None)
        self._halted.pop(name, None)
        self._heartbeats.stop(name)
        for uid in [uid for uid, state in self._states.items() if state.node == name]:
            self._forget(uid)
        self._machines.remove_host(name)

    def _free_address(self) -> str:
        used = {host.address for host in self._machines.hosts.values()}
        number = len(used)
        while (address := f"10.250.{1 + number // 250}.{1 + number % 250}") in used:
            number += 1
        return address

    # Pods.

    def _hear_pod(self, delta: Delta) -> bool:
        """Take in a change of a pod; whether there is something to do about it."""
        pod = delta.object
        if static_pods.mirrored(pod):
            return self._hear_mirror(delta)
        uid = pod["metadata"]["uid"]
        node = pod["spec"].get("nodeName", "")
        state = self._states.get(uid)
        if delta.new is None:
            if state is not None:
                self._states[uid] = state._replace(pod=pod, gone=True)
                self._ready[uid] = False
            return state is not None
        if node not in self._machines.hosts:
            return False
        if state is None:
            self._admit(pod, uid, node)
            return True
        if pod["metadata"]["resourceVersion"] == state.pod["metadata"]["resourceVersion"]:
            return False
        taken = self._states[uid] = resizing.taken(state, pod)
        if taken.wanted is not None:
            self._wanting[uid] = node
        if delta.old is not None and _is_echo(delta.old, pod, state):
            return False
        self._machines.set_labels(uid, pod["metadata"].get("labels") or {})
        self._ready[uid] = False
        return True

    def _admit(self, pod: Object, uid: str, node: str, *, static: bool = False) -> None:
        """Take on a pod that has just been heard of."""
        state = self._states[uid] = initial_state(pod, uid, node, self._machines, self._clock.now, static=static)
        if state.stage is Stage.SETTING_UP and not static and not admission.was_scheduled(pod):
            self._admit_or_reject(pod, uid, node)
        self._ready[uid] = False

    def _admit_or_reject(self, pod: Object, uid: str, node: str) -> None:
        """Judge a pod that came past the scheduler: one that does not fit has failed."""
        found = self._nodes.get("", node)
        others = [known for known in self._pods.by_index("node", node) if known["metadata"]["uid"] in self._states]
        refused = admission.misfit(pod, found, [one for one in others if one is not pod]) if found else None
        if refused is None:
            return
        self._recorder.event(pod, "Warning", refused.reason, refused.message, host=node)
        status = {
            "phase": "Failed", "reason": refused.reason, "message": f"Pod was rejected: {refused.message}",
            "startTime": timestamps.time(self._clock.now), "qosClass": (pod.get("status") or {}).get("qosClass"),
        }  # fmt: skip
        self._states[uid] = self._states[uid]._replace(stage=Stage.FINISHED, rejected=status)

    def _resize(self, worker: PodWorker) -> None:
        """Give a pod the resources that it wants now, if its node has them besides what the others have."""
        state = worker.state
        node = self._nodes.get("", state.node)
        others = [
            one.pod for one in self._states.values()
            if one.node == state.node and one.uid != state.uid and one.stage is not Stage.FINISHED
        ]  # fmt: skip
        pod = {**state.pod, "spec": state.wanted}
        worker.resize(admission.misfit(pod, node, others) if node is not None else None)
        if worker.state.wanted is None:
            del self._wanting[state.uid]
            self._retry_resizes(state.node)

    def _retry_resizes(self, node: str) -> None:
        """A node may have more to give than before."""
        for uid in [uid for uid, place in self._wanting.items() if place == node]:
            self._ready[uid] = False

    def _remove_orphans(self) -> None:
        """Remove what still runs of pods that were deleted while there was no kubelet."""
        for uid, sandbox in list(self._machines.sandboxes.items()):
            if uid not in self._states and sandbox.host in self._joined:
                self._machines.remove_pod(uid)

    # Static pods.

    def _read_manifests(self, node: str) -> None:
        """Start the static pods whose manifests are new, stop those whose manifests are gone."""
        wanted = static_pods.read(self._machines.volumes.read(DISK + node), node, self._clock.now)
        for uid, state in list(self._states.items()):
            if state.static and state.node == node and uid not in wanted and not state.gone:
                self._states[uid] = state._replace(gone=True)
                self._ready[uid] = False
        for uid, pod in wanted.items():
            if uid in self._states:
                continue
            registered = self._mirrors.register(uid, pod, node)
            if registered is not None:
                self._admit(registered.pod, uid, node, static=True)
                self._states[uid] = self._states[uid]._replace(mirror=registered.mirror)

    def _hear_mirror(self, delta: Delta) -> bool:
        uid = static_pods.mirrored(delta.object)
        state = self._states.get(uid)
        if state is None:
            return False
        deleted = delta.new is None
        if deleted and state.mirror is not None and state.mirror["metadata"]["uid"] != delta.object["metadata"]["uid"]:
            return False
        wanted = deleted or "deletionTimestamp" in delta.object["metadata"]
        self._states[uid] = state._replace(mirror=delta.new, written=None if deleted else state.written)
        if wanted:
            self._ready[uid] = False
        return wanted

    # What pods show of other objects.

    def _refresh_later(self, kind: ResourceType, changed: Object) -> None:
        """Let the pods that show a ConfigMap or Secret see its change with their next round."""
        meta = changed["metadata"]
        for uid, state in self._states.items():
            if state.pod["metadata"].get("namespace") == meta["namespace"] and state.stage is Stage.RUNNING:
                if volumes.refers_to(state.pod, kind, meta["name"]):
                    self._clock.set(COMPONENT, ("volumes", uid), self._clock.now + REFRESH_PERIOD)

    def _refresh(self, uid: str) -> None:
        state = self._states.get(uid)
        if state is None or state.stage is not Stage.RUNNING or not self._machines.hosts[state.node].powered:
            return
        if not PodWorker(self._surroundings, state).refresh_volumes():
            self._clock.set(COMPONENT, ("volumes", uid), self._clock.now + REFRESH_PERIOD, periodic=True)

    # The turn of one pod.

    def _sync_pod(self, uid: str, *, only_time: bool) -> bool:
        """Whether anything has become of it."""
        before = self._states.get(uid)
        if before is None or not self._machines.hosts[before.node].powered or before.node in self._halted:
            return False
        worker = PodWorker(self._surroundings, before)
        if before.wanted is not None:
            self._resize(worker)
        state = self._states[uid] = worker.sync()
        steady = only_time and before.reported and worker.has_nothing_new(before)
        if state.gone:
            if state.stage is Stage.FINISHED:
                self._forget(uid)
                return True
        elif not steady:
            reported = self._statuses.report(worker)
            state = self._states[uid] = worker.state._replace(reported=reported)
            if not reported:
                self._clock.set(COMPONENT, ("pod", uid), self._clock.now + RETRY)
                return True
        if state.stage is Stage.FINISHED:
            self._clock.cancel(COMPONENT, ("pod", uid))
            self._retry_resizes(state.node)
            if "deletionTimestamp" in state.pod["metadata"] and not state.gone:
                if not self._statuses.delete(state):
                    self._clock.set(COMPONENT, ("pod", uid), self._clock.now + RETRY)
            return True
        due = worker.due()
        if due is None:
            self._clock.cancel(COMPONENT, ("pod", uid))
        else:
            self._clock.set(COMPONENT, ("pod", uid), due, periodic=worker.is_waiting_idly(due))
        return not steady

    def _forget(self, uid: str) -> None:
        state = self._states.pop(uid, None)
        if state is not None:
            self._wanting.pop(uid, None)
            self._retry_resizes(state.node)
            if state.mirror is not None:
                self._mirrors.remove(state.mirror)
        for key in ("pod", "volumes"):
            self._clock.cancel(COMPONENT, (key, uid))
        self._machines.remove_pod(uid)

    # The kubelet's own API.

    def logs(self, node: str, namespace: str, pod: str, container: str, options: LogOptions) -> str:
        """The log of a container; raises ``StatusError``."""
        return self._api().logs(node, namespace, pod, container, options)

    def exec(
        self, node: str, namespace: str, pod: str, container: str, command: Sequence[str], stdin: str
    ) -> ExecResult:
        """Run a command in a container; raises ``StatusError``."""
        self._bring_credentials(namespace, pod)
        return self._api().exec(node, namespace, pod, container, command, stdin)

    def shell(self, node: str, namespace: str, pod: str, container: str, command: Sequence[str]) -> Terminal | None:
        """Run a shell in a container, for somebody who types; None for what is none; raises ``StatusError``."""
        self._bring_credentials(namespace, pod)
        return self._api().shell(node, namespace, pod, container, command)

    def attach(self, node: str, namespace: str, pod: str, container: str) -> Terminal:
        """Connect to the program that a container runs; raises ``StatusError``."""
        self._bring_credentials(namespace, pod)
        return self._api().attach(node, namespace, pod, container)

    def ports(self, node: str, namespace: str, pod: str) -> Ports:
        """The ports of a pod; raises ``StatusError``."""
        return self._api().ports(node, namespace, pod)

    def _bring_credentials(self, namespace: str, pod: str) -> None:
        """Put tokens and the CA into a pod that had no use for them until somebody came to look."""
        obj = self._pods.get(namespace, pod)
        state = self._states.get(obj["metadata"]["uid"]) if obj is not None else None
        if state is not None and state.stage is Stage.RUNNING and not volumes.runs_commands(state.pod):
            PodWorker(self._surroundings, state).refresh_volumes()

    def _api(self) -> KubeletAPI:
        return KubeletAPI(self._machines, self._clock, self._pods, self._waiting_reason, self._halted)

    def _waiting_reason(self, uid: str, container: str) -> str:
        state = self._states.get(uid)
        waiting = state.work(container).waiting if state is not None else None
        return waiting.reason if waiting is not None else "ContainerCreating"


def _is_echo(old: Object, new: Object, state: PodState) -> bool:
    """Whether nothing about a pod has changed but its status, which says what its kubelet has written."""
    return (
        new["status"] != old["status"]
        and _only_status(old, new)
        and state.written is not None
        and new["status"].get("conditions") == state.written.get("conditions")
    )


def _only_status(old: Object, new: Object) -> bool:
    """Whether two states of a pod ask the same of its kubelet."""
    return old["spec"] is new["spec"] or (
        old["spec"] == new["spec"]
        and old["metadata"].get("labels") == new["metadata"].get("labels")
        and old["metadata"].get("deletionTimestamp") == new["metadata"].get("deletionTimestamp")
    )
