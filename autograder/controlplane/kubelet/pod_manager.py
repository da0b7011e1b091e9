"""The pods of all kubelets: which there are, what was heard of them, and whose turn it is.

Pods come from the API server and, as static pods, from manifests on the disk of their node.  What is done with one pod
in its turn is ``pod_worker``, what is written of it ``status_manager``.
"""

from __future__ import annotations

from collections.abc import Mapping

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Delta
from autograder.controlplane.containers.volumes import DISK
from autograder.controlplane.kubelet import admission, resizing, static_pods, volumes
from autograder.controlplane.kubelet.initial_state import initial_state
from autograder.controlplane.kubelet.mirrors import Mirrors
from autograder.controlplane.kubelet.pod_worker import PodWorker
from autograder.controlplane.kubelet.records import PodState, Stage
from autograder.controlplane.kubelet.status_manager import StatusManager
from autograder.controlplane.kubelet.surroundings import Surroundings
from autograder.controlplane.kubelet.timing import COMPONENT, REFRESH_PERIOD, RETRY


class PodManager:
    """The pods on all nodes; those of nodes whose kubelet is ``halted`` are left as they are."""

    def __init__(self, surroundings: Surroundings, mirrors: Mirrors, halted: Mapping[str, None]) -> None:
        self._surroundings = surroundings
        self._clock = surroundings.clock
        self._machines = surroundings.machines
        self._nodes = surroundings.nodes
        self._pods = surroundings.pods
        self._mirrors = mirrors
        self._statuses = StatusManager(surroundings.client, mirrors)
        self._halted = halted
        self._states: dict[str, PodState] = {}
        #: Pods to be looked at; True for those with which nothing has happened but that their time has come.
        self._ready: dict[str, bool] = {}
        #: Pods that want other resources than they have, and where they are.
        self._wanting: dict[str, str] = {}

    def fork(self, surroundings: Surroundings, mirrors: Mirrors, halted: Mapping[str, None]) -> PodManager:
        """The same pods, in the same state, for a fork of the cluster."""
        twin = PodManager(surroundings, mirrors, halted)
        twin._states, twin._ready, twin._wanting = self._states.copy(), self._ready.copy(), self._wanting.copy()
        return twin

    def sync(self) -> bool:
        """Give every pod its turn that has to be looked at; whether anything has become of one."""
        worked = False
        self._ready |= dict.fromkeys(self._machines.changed, False)
        self._machines.changed.clear()
        while self._ready:
            uid = next(iter(self._ready))
            worked |= self._sync_pod(uid, only_time=self._ready.pop(uid))
        return worked

    def time_has_come(self, uid: str) -> None:
        """The timer of a pod has gone off."""
        self._ready.setdefault(uid, True)

    def wake_all(self, node: str) -> None:
        """All pods of a node are to be looked at again."""
        for uid, state in self._states.items():
            if state.node == node:
                self._ready[uid] = False

    def forget_all(self, node: str) -> None:
        """Forget the pods of a node that is gone, and what runs of them."""
        for uid in [uid for uid, state in self._states.items() if state.node == node]:
            self._forget(uid)

    def remove_orphans(self, nodes: Mapping[str, None]) -> None:
        """Remove what still runs on nodes of pods that were deleted while there was no kubelet."""
        for uid, sandbox in list(self._machines.sandboxes.items()):
            if uid not in self._states and sandbox.host in nodes:
                self._machines.remove_pod(uid)

    def waiting_reason(self, uid: str, container: str) -> str:
        """Why a container of a pod has not been created."""
        state = self._states.get(uid)
        waiting = state.work(container).waiting if state is not None else None
        return waiting.reason if waiting is not None else "ContainerCreating"

    # What is heard of pods.

    def hear(self, delta: Delta) -> bool:
        """Take in a change of a pod in the API; whether there is something to do about it."""
        pod = delta.object
        if static_pods.mirrored(pod):
            return self._hear_of_mirror(delta)
        uid = pod["metadata"]["uid"]
        state = self._states.get(uid)
        node = pod["spec"].get("nodeName", "")
        if delta.new is None:
            if state is not None:
                self._set_and_wake(state._replace(pod=pod, gone=True))
            return state is not None
        if node not in self._machines.hosts:
            return False
        if state is None:
            self._admit(pod, uid, node)
            return True
        return self._update(state, delta.old, pod)

    def _update(self, state: PodState, old: Object | None, pod: Object) -> bool:
        """Take in a newer object of a pod that is known; whether there is something to do about it."""
        if pod["metadata"]["resourceVersion"] == state.pod["metadata"]["resourceVersion"]:
            return False
        taken = self._states[state.uid] = resizing.taken(state, pod)
        if taken.wanted is not None:
            self._wanting[state.uid] = state.node
        if old is not None and _is_echo(old, pod, state):
            return False
        self._machines.set_labels(state.uid, pod["metadata"].get("labels") or {})
        self._ready[state.uid] = False
        return True

    def _hear_of_mirror(self, delta: Delta) -> bool:
        state = self._states.get(static_pods.mirrored(delta.object))
        if state is None:
            return False
        deleted = delta.new is None
        if deleted and state.mirror is not None and state.mirror["metadata"]["uid"] != delta.object["metadata"]["uid"]:
            return False
        wanted = deleted or "deletionTimestamp" in delta.object["metadata"]
        self._states[state.uid] = state._replace(mirror=delta.new, written=None if deleted else state.written)
        if wanted:
            self._ready[state.uid] = False
        return wanted

    def read_manifests(self, node: str) -> None:
        """Start the static pods whose manifests are new, stop those whose manifests are gone."""
        wanted = static_pods.read(self._machines.volumes.read(DISK + node), node, self._clock.now)
        for uid, state in list(self._states.items()):
            if state.static and state.node == node and uid not in wanted and not state.gone:
                self._set_and_wake(state._replace(gone=True))
        for uid, pod in wanted.items():
            if uid in self._states:
                continue
            registered = self._mirrors.register(uid, pod, node)
            if registered is not None:
                self._admit(registered.pod, uid, node, static=True)
                self._states[uid] = self._states[uid]._replace(mirror=registered.mirror)

    def _set_and_wake(self, state: PodState) -> None:
        self._states[state.uid] = state
        self._ready[state.uid] = False

    # Whether a node takes a pod, and gives it what it wants.

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
        self._surroundings.recorder.event(pod, "Warning", refused.reason, refused.message, host=node)
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

    # What pods show of other objects.

    def refresh_later(self, kind: ResourceType, changed: Object) -> None:
        """Let the pods that show a ConfigMap or Secret see its change with their next round."""
        meta = changed["metadata"]
        for uid, state in self._states.items():
            if state.pod["metadata"].get("namespace") == meta["namespace"] and state.stage is Stage.RUNNING:
                if volumes.refers_to(state.pod, kind, meta["name"]):
                    self._clock.set(COMPONENT, ("volumes", uid), self._clock.now + REFRESH_PERIOD)

    def refresh(self, uid: str) -> None:
        """Bring the volumes of a pod up to date, or try again later."""
        state = self._states.get(uid)
        if state is None or state.stage is not Stage.RUNNING or not self._machines.hosts[state.node].powered:
            return
        if not PodWorker(self._surroundings, state).refresh_volumes():
            self._clock.set(COMPONENT, ("volumes", uid), self._clock.now + REFRESH_PERIOD, periodic=True)

    def bring_credentials(self, namespace: str, name: str) -> None:
        """Put tokens and the CA into a pod that had no use for them until somebody came to look."""
        pod = self._pods.get(namespace, name)
        state = self._states.get(pod["metadata"]["uid"]) if pod is not None else None
        if state is not None and state.stage is Stage.RUNNING and not volumes.runs_commands(state.pod):
            PodWorker(self._surroundings, state).refresh_volumes()

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
        if state.gone and state.stage is Stage.FINISHED:
            self._forget(uid)
            return True
        steady = only_time and before.reported and worker.has_nothing_new(before)
        if not state.gone and not steady and not self._report(worker):
            return True
        if state.stage is Stage.FINISHED:
            self._finish(self._states[uid])
            return True
        due = worker.due()
        if due is None:
            self._clock.cancel(COMPONENT, ("pod", uid))
        else:
            self._clock.set(COMPONENT, ("pod", uid), due, periodic=worker.is_waiting_idly(due))
        return not steady

    def _report(self, worker: PodWorker) -> bool:
        """Write the status of a pod; False, and another try soon, when the API server did not take it."""
        reported = self._statuses.report(worker)
        self._states[worker.state.uid] = worker.state._replace(reported=reported)
        if not reported:
            self._try_again(worker.state.uid)
        return reported

    def _finish(self, state: PodState) -> None:
        """Nothing of a pod runs any more: others may have what it had, and its object goes if it was deleted."""
        self._clock.cancel(COMPONENT, ("pod", state.uid))
        self._retry_resizes(state.node)
        if "deletionTimestamp" in state.pod["metadata"] and not state.gone and not self._statuses.delete(state):
            self._try_again(state.uid)

    def _try_again(self, uid: str) -> None:
        self._clock.set(COMPONENT, ("pod", uid), self._clock.now + RETRY)

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
