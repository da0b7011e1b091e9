"""What kubelets write of pods into the API: their status whenever it changes, and in the end that they are gone.

Named for the part of the real kubelet that does so (pkg/kubelet/status).  What stands in a status is ``pod_status``.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery.errors import Conflict, NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client
from autograder.controlplane.kubelet import resizing
from autograder.controlplane.kubelet.mirrors import Mirrors
from autograder.controlplane.kubelet.pod_worker import PodWorker
from autograder.controlplane.kubelet.records import PodState

#: Fields of a pod's status that others write.
_OF_OTHERS: Final = ("nominatedNodeName", "resourceClaimStatuses")


class StatusManager:
    """Writes the status of pods, and that of static pods to their mirrors."""

    def __init__(self, client: Client, mirrors: Mirrors) -> None:
        self._client = client
        self._mirrors = mirrors

    def report(self, worker: PodWorker) -> bool:
        """Write a pod's status if it has changed, or somebody else has; False when the API server did not take it.

        What is known of the object afterwards stands in the worker's state.
        """
        state = worker.state
        status = worker.status()
        if state.static:
            return self._report_static(worker, status)
        if status == state.written and _is_shown(status, state.pod):
            return True
        kept = {key: value for key, value in (state.pod.get("status") or {}).items() if key in _OF_OTHERS}
        try:
            written = self._client.update(PODS, {**state.pod, "status": kept | status}, "status")
        except NotFound:
            return True
        except StatusError:
            # Somebody may have changed the pod; the watch brings it before the next try.
            return False
        worker.state = state._replace(pod=resizing.given(state, written), written=status)
        return True

    def _report_static(self, worker: PodWorker, status: Object) -> bool:
        state = worker.state
        mirror = self._mirrors.of(state)
        if mirror is None:
            return False
        if status == state.written and mirror is state.mirror:
            return True
        try:
            written = self._client.update(PODS, {**mirror, "status": status}, "status")
        except StatusError:
            worker.state = state._replace(mirror=None)
            return False
        worker.state = state._replace(mirror=written, written=status)
        return True

    def delete(self, state: PodState) -> bool:
        """The last act: remove the pod's object, now that nothing of it runs; False when that has to be tried again."""
        meta = state.pod["metadata"]
        try:
            self._client.delete(PODS, meta["namespace"], meta["name"], uid=state.uid, grace_period=0)
        except (NotFound, Conflict):
            return True
        except StatusError:
            return False
        return True


def _is_shown(status: Object, pod: Object) -> bool:
    """Whether a pod has the conditions of a status: the node controller takes readiness from pods of lost nodes."""
    shown = {one["type"]: one["status"] for one in (pod.get("status") or {}).get("conditions") or ()}
    return all(shown.get(one["type"]) == one["status"] for one in status.get("conditions") or ())
