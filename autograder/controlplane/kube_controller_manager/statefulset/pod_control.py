"""The pods of StatefulSets and their claims, as they are made, kept and deleted, with the events that tell of it.

Source: pkg/controller/statefulset/stateful_pod_control.go.
"""

from __future__ import annotations

from autograder.controlplane.apimachinery.errors import AlreadyExists, Conflict, NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import PERSISTENTVOLUMECLAIMS, PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client, EventRecorder, Informer
from autograder.controlplane.kube_controller_manager.fields import compact
from autograder.controlplane.kube_controller_manager.ownership import controller_ref
from autograder.controlplane.kube_controller_manager.statefulset.identity import (
    claims_of,
    name_of,
    own_references,
    with_identity,
)


class StatefulPodControl:
    """The pods and claims of all StatefulSets."""

    def __init__(self, client: Client, recorder: EventRecorder, claims: Informer) -> None:
        self._client = client
        self._recorder = recorder
        self._claims = claims

    def create_pod(self, stateful_set: Object, pod: Object) -> None:
        """Create a pod after its claims."""
        try:
            self.create_claims(stateful_set, pod)
            self._client.create(PODS, pod["metadata"]["namespace"], pod)
        except AlreadyExists:
            raise
        except StatusError as error:
            self._tell("create", stateful_set, pod, error)
            raise
        self._tell("create", stateful_set, pod)

    def delete_pod(self, stateful_set: Object, pod: Object) -> None:
        """Delete a pod; its claims stay."""
        try:
            self._client.delete(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
        except NotFound:
            pass
        except StatusError as error:
            self._tell("delete", stateful_set, pod, error)
            raise
        self._tell("delete", stateful_set, pod)

    def create_claims(self, stateful_set: Object, pod: Object) -> None:
        """Create those claims of a pod that do not exist; raises ``Conflict`` for one that is being deleted."""
        namespace = stateful_set["metadata"]["namespace"]
        for wanted in claims_of(stateful_set, pod):
            name = wanted["metadata"]["name"]
            found = self._claims.get(namespace, name)
            if found is not None and "deletionTimestamp" in found["metadata"]:
                raise Conflict(f"pvc {name} is being deleted")
            if found is not None:
                continue
            subject = f"Claim {name} Pod {pod['metadata']['name']} in StatefulSet {name_of(stateful_set)}"
            try:
                self._client.create(PERSISTENTVOLUMECLAIMS, namespace, wanted)
            except AlreadyExists:
                continue
            except StatusError as error:
                subject = subject.replace(" Pod ", " for Pod ", 1)
                message = f"Create {subject} failed error: {error.message}"
                self._recorder.event(stateful_set, "Warning", "FailedCreate", message)
                raise
            self._recorder.event(stateful_set, "Normal", "SuccessfulCreate", f"Create {subject} success")

    def restore_identity(self, pod: Object) -> None:
        """Give a pod the labels by which it is known again, if somebody has taken them away."""
        wanted = with_identity(pod)
        if wanted != pod:
            self._client.update(PODS, wanted)

    def keep_claims(self, stateful_set: Object, pod: Object, *, condemned: bool) -> None:
        """Give the claims of a pod the owners that ``persistentVolumeClaimRetentionPolicy`` asks for."""
        policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy", {})
        for wanted in claims_of(stateful_set, pod):
            found = self._claims.get(wanted["metadata"]["namespace"], wanted["metadata"]["name"])
            if found is None:
                continue
            owners: list[Object] = found["metadata"].get("ownerReferences", [])
            kept = [one for one in owners if (one["kind"], one["name"]) not in own_references(stateful_set, pod)]
            if condemned and policy.get("whenScaled") == "Delete":
                kept.append(controller_ref(pod))
            elif policy.get("whenDeleted") == "Delete":
                kept.append(controller_ref(stateful_set))
            if kept != owners:
                metadata = {key: value for key, value in found["metadata"].items() if key != "ownerReferences"}
                metadata |= compact({"ownerReferences": kept})
                self._client.update(PERSISTENTVOLUMECLAIMS, {**found, "metadata": metadata})

    def _tell(self, verb: str, stateful_set: Object, pod: Object, error: StatusError | None = None) -> None:
        subject = f"{verb.title()} Pod {pod['metadata']['name']} in StatefulSet {name_of(stateful_set)}"
        if error is None:
            self._recorder.event(stateful_set, "Normal", f"Successful{verb.title()}", f"{subject} successful")
        else:
            message = f"{subject} failed error: {error.message}"
            self._recorder.event(stateful_set, "Warning", f"Failed{verb.title()}", message)
