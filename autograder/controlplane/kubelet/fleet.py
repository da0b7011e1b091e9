"""The kubelets of all nodes, as one component.

It watches pods, nodes and services once for all of them.  What a kubelet knows of its pods are records (``records``),
what it does with one pod is ``pod_worker``, what it says of its node ``node_status``.

Whose machines there are: those of the nodes that exist when the cluster is set up, and those of nodes annotated
``kwok.x-k8s.io/node: fake`` that somebody creates.  Other Nodes are objects without a machine, and stay silent.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from typing import Any, Final, Self

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import BadRequest, Conflict, Forbidden, Invalid, NotFound, StatusError
from autograder.controlplane.apimachinery.node_connection import ExecResult, LogOptions, Terminal
from autograder.controlplane.apimachinery.scheme import (
    CONFIGMAPS,
    LEASES,
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
from autograder.controlplane.clock import SECOND
from autograder.controlplane.component import Environment
from autograder.controlplane.containers import network_policy
from autograder.controlplane.containers.machines import DISK
from autograder.controlplane.kubelet import admission, node_status, probes, resizing, static_pods, volumes
from autograder.controlplane.kubelet.api import KubeletAPI
from autograder.controlplane.kubelet.container_worker import SANDBOX_TIME, Surroundings
from autograder.controlplane.kubelet.pod_worker import PodWorker
from autograder.controlplane.kubelet.records import ContainerWork, PodState, Stage

COMPONENT: Final = "kubelet"
USER: Final = "system:node"
GROUPS: Final = ("system:nodes",)
LEASE_PERIOD: Final = 10 * SECOND
STATUS_PERIOD: Final = 300 * SECOND
#: How soon a write that failed is tried again.
RETRY: Final = SECOND
#: How long it takes until a pod sees what has changed in its ConfigMaps, Secrets and labels.
REFRESH_PERIOD: Final = 60 * SECOND
#: How often a kubelet looks at its manifests when the last look was in vain.
FILE_CHECK_PERIOD: Final = 20 * SECOND

_STARTED_EVENTS: Final = (
    ("Starting", "Starting kubelet."),
    ("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods"),
)


class Kubelets:
    """All kubelets.

    Timers carry ``("pod", uid)``, ``("volumes", uid)``, ``("lease", node)``, ``("status", node)`` or
    ``("manifests", node)``.
    """

    name = COMPONENT

    def __init__(self, environment: Environment) -> None:
        client = environment.client(USER, *GROUPS)
        self._connect(environment, InformerFactory(client), EventRecorder(client, environment.clock, COMPONENT))
        self._states: dict[str, PodState] = {}
        self._ready: dict[str, None] = {}
        self._joined: dict[str, None] = {}
        #: Nodes whose kubelet somebody has stopped there.
        self._halted: dict[str, None] = {}
        #: Static pods by uid and by name as the API server has completed them, to start them while it is away.
        self._completed: dict[str, Object] = {}
        #: Pods that want other resources than they have, and where they are.
        self._wanting: dict[str, str] = {}
        self._started = False

    def fork(self, environment: Environment) -> Self:
        twin = object.__new__(type(self))
        client = environment.client(USER, *GROUPS)
        twin._connect(environment, self._informers.fork(client), self._recorder.fork(client, environment.clock))
        twin._states = self._states.copy()
        twin._ready, twin._joined = self._ready.copy(), self._joined.copy()
        twin._halted, twin._completed = self._halted.copy(), self._completed.copy()
        twin._wanting, twin._started = self._wanting.copy(), self._started
        return twin

    def _connect(self, environment: Environment, informers: InformerFactory, recorder: EventRecorder) -> None:
        self._client = environment.client(USER, *GROUPS)
        # The group stands in for the Node authorizer, which lets a kubelet create the mirrors of its own pods.
        self._strict = Client(environment.handle, User(USER, (*GROUPS, "system:masters", "system:authenticated")))
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
        self._surroundings = Surroundings(self._client, recorder, self._clock, self._machines, self._services)

    # The component.

    def sync(self) -> bool:
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
        for host in [host for host in self._machines.written if self.runs(host)]:
            worked = True
            del self._machines.written[host]
            self._read_manifests(host)
        self._ready |= self._machines.changed
        self._machines.changed.clear()
        while self._ready:
            worked = True
            uid = next(iter(self._ready))
            del self._ready[uid]
            self._sync_pod(uid)
        return worked

    def fire(self, key: Hashable) -> None:
        assert isinstance(key, tuple)
        what, name = key
        if name in self._halted:
            return
        if what == "pod":
            self._ready[name] = None
        elif what == "volumes":
            self._refresh(name)
        elif what == "manifests":
            self._read_manifests(name)
        elif what == "lease":
            self._renew(name)
        else:
            self._post_status(name)

    def _follow_policies(self) -> None:
        """Let the network follow the NetworkPolicies of now, as the agent of a network plugin does on every node."""
        changed = [*self._policies.sync(), *self._namespaces.sync()]
        if changed:
            self._machines.policies = network_policy.read(self._policies, self._namespaces)

    # Nodes.

    def power_off(self, node: str) -> None:
        """The machine of a node loses power: no status, no lease, no containers; ``KeyError`` for an unknown node."""
        self._machines.power_off(node)
        for key in ("lease", "status"):
            self._clock.cancel(COMPONENT, (key, node))

    def power_on(self, node: str) -> None:
        """The machine boots, and its kubelet starts the pods' containers anew."""
        self._machines.power_on(node)
        if self._nodes.get("", node) is not None:
            self._join(node)
        for uid, state in self._states.items():
            if state.node == node:
                self._ready[uid] = None

    def halt(self, node: str) -> None:
        """Stop the kubelet of one node; its containers go on."""
        self._halted[node] = None
        for key in ("lease", "status"):
            self._clock.cancel(COMPONENT, (key, node))

    def resume(self, node: str) -> None:
        """Start the kubelet of a node again."""
        if node not in self._halted:
            return
        del self._halted[node]
        if self._nodes.get("", node) is not None:
            self._join(node)
        for uid, state in self._states.items():
            if state.node == node:
                self._ready[uid] = None

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
        if not node_status.is_fake(node):
            for reason, message in _STARTED_EVENTS:
                self._recorder.event(_node_reference(name), "Normal", reason, message, host=name)
        self._renew(name)
        self._post_status(name)
        self._read_manifests(name)

    def _leave(self, name: str) -> None:
        """A node has been deleted: a real kubelet goes on; here its machine is switched off and forgotten."""
        self._joined.pop(name, None)
        self._halted.pop(name, None)
        for key in ("lease", "status"):
            self._clock.cancel(COMPONENT, (key, name))
        for uid in [uid for uid, state in self._states.items() if state.node == name]:
            self._forget(uid)
        self._machines.remove_host(name)

    def _free_address(self) -> str:
        used = {host.address for host in self._machines.hosts.values()}
        number = len(used)
        while (address := f"10.250.{1 + number // 250}.{1 + number % 250}") in used:
            number += 1
        return address

    def _renew(self, name: str) -> None:
        node = self._nodes.get("", name)
        if node is None:
            return
        self._clock.set(COMPONENT, ("lease", name), self._clock.now + LEASE_PERIOD, periodic=True)
        lease = node_status.lease(node, self._clock.now)
        try:
            current = self._client.get(LEASES, lease["metadata"]["namespace"], name)
            self._client.update(LEASES, {**current, "spec": lease["spec"]})
        except NotFound:
            self._try_to_create(lease)
        except StatusError:
            # The API server does not take it now; the next renewal is near enough.
            return

    def _try_to_create(self, lease: Object) -> None:
        try:
            self._client.create(LEASES, "kube-node-lease", lease)
        except StatusError:
            # Without a lease the node's status still shows that it is alive; the next renewal tries again.
            return

    def _post_status(self, name: str) -> None:
        node = self._nodes.get("", name)
        if node is None:
            return
        self._clock.set(COMPONENT, ("status", name), self._clock.now + STATUS_PERIOD, periodic=True)
        status = node_status.generate(node, self._machines.hosts[name], self._clock.now)
        try:
            self._client.update(NODES, {**node, "status": status}, "status")
        except StatusError:
            self._clock.set(COMPONENT, ("status", name), self._clock.now + RETRY)
            return
        if not node_status.is_fake(node):
            for reason in node_status.became(node.get("status") or {}, status):
                message = f"Node {name} status is now: {reason}"
                self._recorder.event(_node_reference(name), "Normal", reason, message, host=name)

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
                self._ready[uid] = None
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
        if (
            delta.old is not None
            and pod["status"] != delta.old["status"]
            and _only_status(delta.old, pod)
            and (state.written is not None and pod["status"].get("conditions") == state.written.get("conditions"))
        ):
            return False
        labels = pod["metadata"].get("labels") or {}
        self._machines.set_labels(uid, labels)
        self._ready[uid] = None
        return True

    def _admit(self, pod: Object, uid: str, node: str, *, static: bool = False) -> None:
        now = self._clock.now
        status = pod.get("status") or {}
        since = timestamps.parse(status["startTime"]) if status.get("startTime") else now
        finished = status.get("phase") in ("Succeeded", "Failed")
        stage = Stage.FINISHED if finished else Stage.SETTING_UP
        attempt, ip, sandbox_at = 0, "", now + SANDBOX_TIME
        sandbox = self._machines.sandboxes.get(uid)
        if sandbox is not None and not finished:
            # The kubelet was restarted; the containers went on without it.
            stage, attempt, ip, sandbox_at = Stage.RUNNING, sandbox.attempt, sandbox.ip, now
        self._states[uid] = PodState(
            pod, uid, node, stage, since, None if stage is Stage.RUNNING else sandbox_at, attempt, ip,
            works=self._found_running(pod, uid, status) if stage is Stage.RUNNING else {},
            written=status if status.get("containerStatuses") else None,
            initialized=stage is Stage.RUNNING and _has_initialized(status), static=static,
        )  # fmt: skip
        if stage is Stage.SETTING_UP and not static and not admission.was_scheduled(pod):
            self._admit_or_reject(pod, uid, node)
        self._ready[uid] = None

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
            self._ready[uid] = None

    def _found_running(self, pod: Object, uid: str, status: Object) -> dict[str, ContainerWork]:
        """What a kubelet that was restarted makes of running containers: ready ones stay so until a probe says no."""
        works = {}
        statuses = (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ()))
        old = {one["name"]: one for one in statuses}
        for spec in (*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())):
            container = self._machines.latest(uid, spec["name"])
            if container is not None and container.running:
                resumed = probes.resumed(spec, old.get(spec["name"], {}), self._clock.now)
                works[spec["name"]] = ContainerWork(probes=resumed)
        return works

    def _remove_orphans(self) -> None:
        """Remove what still runs of pods that were deleted while there was no kubelet."""
        for uid, sandbox in list(self._machines.sandboxes.items()):
            if uid not in self._states and sandbox.host in self._joined:
                self._machines.remove_pod(uid)

    # Static pods.

    def _read_manifests(self, node: str) -> None:
        """Start the static pods whose manifests are new, stop those whose manifests are gone."""
        wanted = static_pods.read(self._machines.volume(DISK + node), node, self._clock.now)
        for uid, state in list(self._states.items()):
            if state.static and state.node == node and uid not in wanted and not state.gone:
                self._states[uid] = state._replace(gone=True)
                self._ready[uid] = None
        for uid, pod in wanted.items():
            if uid in self._states:
                continue
            mirror = self._first_mirror(pod, node)
            if mirror is not None:
                complete = static_pods.of_mirror(mirror)
                self._completed[uid] = self._completed[f"{node}/{pod['metadata']['name']}"] = complete
            elif self._clock.due(COMPONENT, ("manifests", node)) is not None:
                complete = self._completed.get(uid) or self._guessed(pod, node)
            else:
                continue
            if complete:
                self._admit(complete, uid, node, static=True)
                self._states[uid] = self._states[uid]._replace(mirror=mirror)

    def _guessed(self, pod: Object, node: str) -> Object:
        """A new manifest of a pod that the API server knew, while it is away: what is not stated is as it was."""
        before = self._completed.get(f"{node}/{pod['metadata']['name']}")
        return static_pods.completed(pod, before) if before is not None else {}

    def _first_mirror(self, pod: Object, node: str) -> Object | None:
        """The mirror of a manifest that is new.  The API server judges it: what it refuses is passed over.

        A real kubelet reads and completes manifests with the API server's own code, and so can start them without it;
        here a manifest that is not like one it has read before has to wait for the API server.
        """
        meta, owner = pod["metadata"], self._nodes.get("", node)
        old = self._pods.get(meta["namespace"], meta["name"])
        if old is not None and static_pods.mirrored(old) == meta["uid"]:
            return old
        if old is not None:
            self._remove(old)
        if owner is None:
            return None
        try:
            body: Any = json.dumps(static_pods.mirror(pod, owner), default=str).encode()
            return self._strict.create(PODS, meta["namespace"], body)
        except (BadRequest, Forbidden, Invalid, NotFound):
            return None
        except StatusError:
            self._clock.set(COMPONENT, ("manifests", node), self._clock.now + FILE_CHECK_PERIOD, periodic=True)
            return None

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
            self._ready[uid] = None
        return wanted

    def _mirror_of(self, state: PodState) -> Object | None:
        """The mirror of a static pod, made anew if it is missing or being deleted; None while that cannot be."""
        mirror = state.mirror or self._pods.get(state.pod["metadata"]["namespace"], state.pod["metadata"]["name"])
        node = self._nodes.get("", state.node)
        if mirror is not None and (
            static_pods.mirrored(mirror) != state.uid or "deletionTimestamp" in mirror["metadata"]
        ):
            self._remove(mirror)
            mirror = None
        if mirror is None and node is not None:
            try:
                mirror = self._client.create(
                    PODS, state.pod["metadata"]["namespace"], static_pods.mirror(state.pod, node)
                )
            except StatusError:
                # The pod runs all the same; whoever looks at the API sees it with the next try.
                return None
        return mirror

    def _remove(self, pod: Object) -> None:
        meta = pod["metadata"]
        try:
            self._client.delete(PODS, meta["namespace"], meta["name"], uid=meta["uid"], grace_period=0)
        except StatusError:
            # It is gone already, or the next step tries again.
            return

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

    def _sync_pod(self, uid: str) -> None:
        state = self._states.get(uid)
        if state is None or not self._machines.hosts[state.node].powered or state.node in self._halted:
            return
        worker = PodWorker(self._surroundings, state)
        if state.wanted is not None:
            self._resize(worker)
        state = self._states[uid] = worker.sync()
        if state.gone:
            if state.stage is Stage.FINISHED:
                self._forget(uid)
                return
        elif not self._report(worker):
            self._clock.set(COMPONENT, ("pod", uid), self._clock.now + RETRY)
            return
        state = self._states[uid]
        if state.stage is Stage.FINISHED:
            self._clock.cancel(COMPONENT, ("pod", uid))
            self._retry_resizes(state.node)
            if "deletionTimestamp" in state.pod["metadata"] and not state.gone:
                self._delete(state)
            return
        due = worker.due()
        if due is None:
            self._clock.cancel(COMPONENT, ("pod", uid))
        else:
            self._clock.set(COMPONENT, ("pod", uid), due, periodic=worker.is_waiting_idly())

    def _report(self, worker: PodWorker) -> bool:
        """Write the status if it has changed, or somebody else has; False when the API server did not take it."""
        state = worker.state
        status = worker.status()
        if status == state.written and not state.static and _is_shown(status, state.pod):
            return True
        if state.static:
            return self._report_static(worker, status)
        kept = {key: value for key, value in (state.pod.get("status") or {}).items() if key in _OF_OTHERS}
        try:
            written = self._client.update(PODS, {**state.pod, "status": kept | status}, "status")
        except NotFound:
            return True
        except Conflict:
            # Somebody has changed the pod; the watch brings it before the next try.
            return False
        except StatusError:
            return False
        self._states[state.uid] = worker.state = state._replace(pod=resizing.given(state, written), written=status)
        return True

    def _report_static(self, worker: PodWorker, status: Object) -> bool:
        """Write the status of a static pod to its mirror."""
        state = worker.state
        mirror = self._mirror_of(state)
        if mirror is None:
            return False
        if status == state.written and mirror is state.mirror:
            return True
        try:
            written = self._client.update(PODS, {**mirror, "status": status}, "status")
        except StatusError:
            self._states[state.uid] = state._replace(mirror=None)
            return False
        self._states[state.uid] = worker.state = state._replace(mirror=written, written=status)
        return True

    def _delete(self, state: PodState) -> None:
        """The last act: remove the pod's object, now that nothing of it runs."""
        meta = state.pod["metadata"]
        try:
            self._client.delete(PODS, meta["namespace"], meta["name"], uid=state.uid, grace_period=0)
        except (NotFound, Conflict):
            return
        except StatusError:
            self._clock.set(COMPONENT, ("pod", state.uid), self._clock.now + RETRY)

    def _forget(self, uid: str) -> None:
        state = self._states.pop(uid, None)
        if state is not None:
            self._wanting.pop(uid, None)
            self._retry_resizes(state.node)
            if state.mirror is not None:
                self._remove(state.mirror)
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


#: Fields of a pod's status that others write.
_OF_OTHERS: Final = ("nominatedNodeName", "resourceClaimStatuses")


def _node_reference(name: str) -> Object:
    """Events about a node name it in place of its uid."""
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "uid": name}}


def _is_shown(status: Object, pod: Object) -> bool:
    """Whether a pod has the conditions of a status: the node controller takes readiness from pods of lost nodes."""
    shown = {one["type"]: one["status"] for one in (pod.get("status") or {}).get("conditions") or ()}
    return all(shown.get(one["type"]) == one["status"] for one in status.get("conditions") or ())


def _only_status(old: Object, new: Object) -> bool:
    return old["spec"] is new["spec"] or (
        old["spec"] == new["spec"]
        and old["metadata"].get("labels") == new["metadata"].get("labels")
        and old["metadata"].get("deletionTimestamp") == new["metadata"].get("deletionTimestamp")
    )


def _has_initialized(status: Object) -> bool:
    return any(
        condition["type"] == "Initialized" and condition["status"] == "True"
        for condition in status.get("conditions") or ()
    )
