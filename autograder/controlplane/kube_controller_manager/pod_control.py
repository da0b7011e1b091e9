"""Creating and deleting pods on behalf of a controller, with the events that tell of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from autograder.controlplane.apimachinery.errors import NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import PODS
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import Client, EventRecorder
from autograder.controlplane.client.informer import object_key
from autograder.controlplane.kube_controller_manager.expectations import Expectations
from autograder.controlplane.kube_controller_manager.ownership import controller_ref
from autograder.controlplane.kube_controller_manager.refusals import is_of_terminating_namespace

LONGEST_NAME: Final = 253


def pod_from_template(template: Object, owner: Object, **meta: object) -> Object:
    """A pod as ``owner``'s template says.  It shares the template's spec; ``meta`` are more fields of its metadata."""
    described = template.get("metadata", {})
    metadata: Object = {"namespace": owner["metadata"]["namespace"]}
    metadata |= {key: described[key] for key in ("labels", "annotations", "finalizers") if described.get(key)}
    metadata["ownerReferences"] = [controller_ref(owner)]
    metadata |= {key: value for key, value in meta.items() if value}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def name_prefix(owner: Object) -> str:
    """What the names of the owner's pods begin with."""
    name: str = owner["metadata"]["name"]
    return f"{name}-" if len(name) < LONGEST_NAME else name


class PodControl:
    """The pods of one controller."""

    def __init__(self, client: Client, recorder: EventRecorder) -> None:
        self._client = client
        self._recorder = recorder

    def create(self, owner: Object, pod: Object) -> Object:
        """Create a pod and tell of it on its owner; a refusal is told too and raised."""
        try:
            created = self._client.create(PODS, pod["metadata"]["namespace"], pod)
        except StatusError as error:
            if not is_of_terminating_namespace(error):
                self._recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise
        self._recorder.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {created['metadata']['name']}")
        return created

    def create_from_template(self, owner: Object, template: Object, **meta: object) -> Object:
        """Create a pod as the template says, with a generated name unless ``meta`` gives one."""
        if "name" not in meta:
            meta = {"generateName": name_prefix(owner), **meta}
        return self.create(owner, pod_from_template(template, owner, **meta))

    def delete(self, owner: Object, pod: Object) -> None:
        """Delete a pod and tell of it on its owner; raises ``NotFound`` without a word."""
        name = pod["metadata"]["name"]
        try:
            self._client.delete(PODS, pod["metadata"]["namespace"], name)
        except NotFound:
            raise
        except StatusError as error:
            self._recorder.event(owner, "Warning", "FailedDelete", f"Error deleting: {error.message}")
            raise
        self._recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    def delete_expected(
        self, owner: Object, pods: Iterable[Object], expectations: Expectations, key: str
    ) -> StatusError | None:
        """Delete pods whose deletions ``key`` expects to see, and expect those no longer that fail.

        Goes through all of them and returns the first refusal; a pod that is gone already is none.
        """
        failure: StatusError | None = None
        for pod in pods:
            try:
                self.delete(owner, pod)
            except StatusError as error:
                expectations.deletion_observed(key, object_key(pod))
                if not isinstance(error, NotFound):
                    failure = failure or error
        return failure


def slow_start(count: int, call: Callable[[], None]) -> tuple[int, StatusError | None]:
    """Call ``count`` times in batches of 1, 2, 4, ...; no further batch after one with a failure.

    Returns how many calls went well and the first failure.  A quota that is used up is thus met once and not
    ``count`` times.
    """
    done, batch = 0, 1
    failure: StatusError | None = None
    while done < count and failure is None:
        batch = min(batch, count - done)
        for _ in range(batch):
            try:
                call()
            except StatusError as error:
                failure = failure or error
            else:
                done += 1
        batch *= 2
    return done, failure
