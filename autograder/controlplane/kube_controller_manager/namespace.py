"""The namespace controller: a deleted namespace goes when everything in it has gone.

Pods go first, so that nothing that they need is taken from under them; conditions tell what is still in the way.
Source: pkg/controller/namespace.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from autograder.controlplane.apimachinery import timestamps
from autograder.controlplane.apimachinery.errors import Conflict, NotFound, StatusError
from autograder.controlplane.apimachinery.scheme import NAMESPACES, PODS, RESOURCES, ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.client import WorkQueue
from autograder.controlplane.client.informer import Delta
from autograder.controlplane.clock import SECOND
from autograder.controlplane.kube_controller_manager.conditions import find
from autograder.controlplane.kube_controller_manager.controller import (
    COMPONENT,
    Controller,
    ControllerContext,
    Subscriptions,
)
from autograder.controlplane.kube_controller_manager.pods import is_terminal

FINALIZER: Final = "kubernetes"
#: API servers that run side by side get this long to learn of the deletion.
GRACE: Final = 5 * SECOND
MAX_DELAY: Final = 60 * SECOND
#: Seconds that finalizers are expected to take.
FINALIZER_ESTIMATE: Final = 15

DELETED_FIRST: Final = (PODS,)
DELETED: Final = tuple(kind for kind in RESOURCES if kind.namespaced and "delete" in kind.verbs and kind is not PODS)

#: The conditions in their order: type, then reason and message when all is well.
CONDITIONS: Final = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
)


class _Remains(NamedTuple):
    """What a round of deletion has left: objects by resource, finalizers by name, failures, seconds to wait."""

    objects: Counter[str]
    finalizers: Counter[str]
    failures: list[str]
    estimate: int


class NamespaceController(Controller):
    """Empties and finalizes namespaces that are being deleted."""

    name = "namespace-controller"
    service_account = "namespace-controller"
    event_source = "namespace-controller"

    def __init__(self, context: ControllerContext) -> None:
        super().__init__(context)
        self.namespaces = self.informers.informer(NAMESPACES)
        self.queue = WorkQueue(context.clock, COMPONENT, self.name, max_delay=MAX_DELAY)

    def subscriptions(self) -> Subscriptions:
        return {self.namespaces: self.on_namespace}

    def on_namespace(self, delta: Delta) -> None:
        if delta.new is not None and _is_leaving(delta.new):
            self.queue.add_after(delta.new["metadata"]["name"], GRACE)

    def reconcile(self, key: str) -> None:
        try:
            namespace = self.client.get(NAMESPACES, "", key)
            if not _is_leaving(namespace):
                return
            if namespace.get("status", {}).get("phase") != "Terminating":
                status = {**namespace.get("status", {}), "phase": "Terminating"}
                namespace = self.client.update(NAMESPACES, {**namespace, "status": status}, "status")
            remains = self._delete_content(namespace)
            namespace = self._report(namespace, remains)
            if remains.estimate:
                self.queue.add_after(key, (remains.estimate // 2 + 1) * SECOND)
            elif remains.objects or remains.failures:
                left = ", ".join(remains.failures) or "unexpected items still remain"
                raise Conflict.on(NAMESPACES.plural, NAMESPACES.group, key, left)
            else:
                kept = [name for name in namespace["spec"].get("finalizers", ()) if name != FINALIZER]
                spec = {key: value for key, value in namespace["spec"].items() if key != "finalizers"}
                self.client.update(
                    NAMESPACES, {**namespace, "spec": {**spec, "finalizers": kept} if kept else spec}, "finalize"
                )
        except NotFound:
            return

    def _delete_content(self, namespace: Object) -> _Remains:
        """Ask for the deletion of everything; anything but pods only once they are gone."""
        remains = _Remains(Counter(), Counter(), [], 0)
        for kinds in (DELETED_FIRST, DELETED):
            for kind in kinds:
                remains = self._delete_kind(namespace, kind, remains)
            if remains.objects:
                break
        return remains

    def _delete_kind(self, namespace: Object, kind: ResourceType, remains: _Remains) -> _Remains:
        name = namespace["metadata"]["name"]
        objects, _ = self.client.list(kind, name)
        if not objects:
            return remains
        estimate = self._grace(namespace, objects) if kind is PODS else 0
        for obj in objects:
            try:
                self.client.delete_if_there(kind, name, obj["metadata"]["name"], propagation="Background")
            except StatusError as error:
                remains.failures.append(error.message)
        left, _ = self.client.list(kind, name)
        if left:
            remains.objects[f"{kind.plural}.{kind.group}"] += len(left)
            remains.finalizers.update(one for obj in left for one in obj["metadata"].get("finalizers", ()))
            estimate = estimate or (FINALIZER_ESTIMATE if remains.finalizers else 0)
            return remains._replace(estimate=max(remains.estimate, estimate))
        return remains

    def _grace(self, namespace: Object, pods: list[Object]) -> int:
        """Seconds that the pods may take to end; 0 when they should have ended by now."""
        seconds = [pod["spec"].get("terminationGracePeriodSeconds", 0) for pod in pods if not is_terminal(pod)]
        longest: int = max(seconds, default=0)
        passed = self.clock.now - timestamps.parse(namespace["metadata"]["deletionTimestamp"])
        return longest if passed < longest * SECOND else 0

    def _report(self, namespace: Object, remains: _Remains) -> Object:
        """Write the conditions if they have changed; returns the namespace as it is now."""
        bad: dict[str, tuple[str, str]] = {}
        if remains.failures:
            text = ", ".join(sorted(remains.failures))
            message = f"Failed to delete all resource types, {len(remains.failures)} remaining: {text}"
            bad["NamespaceDeletionContentFailure"] = ("ContentDeletionFailed", message)
        # While pods are left, nothing else has been looked at, and nothing is said of what remains.
        if remains.objects and not remains.objects.get("pods."):
            parts = sorted(f"{kind} has {count} resource instances" for kind, count in remains.objects.items())
            message = f"Some resources are remaining: {', '.join(parts)}"
            bad["NamespaceContentRemaining"] = ("SomeResourcesRemain", message)
        if remains.finalizers and not remains.objects.get("pods."):
            parts = sorted(f"{one} in {count} resource instances" for one, count in remains.finalizers.items())
            message = f"Some content in the namespace has finalizers remaining: {', '.join(parts)}"
            bad["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", message)
        before = namespace["status"].get("conditions", [])
        conditions = [self._condition(before, kind, bad.get(kind), *well) for kind, *well in CONDITIONS]
        own = {kind for kind, *_ in CONDITIONS}
        conditions = [one for one in before if one["type"] not in own] + conditions
        if conditions == before:
            return namespace
        status = {**namespace["status"], "conditions": conditions}
        return self.client.update(NAMESPACES, {**namespace, "status": status}, "status")

    def _condition(
        self, before: list[Object], kind: str, bad: tuple[str, str] | None, reason: str, message: str
    ) -> Object:
        status = "True" if bad else "False"
        reason, message = bad or (reason, message)
        known = find(before, kind)
        begun = known.get("lastTransitionTime") if known and known["status"] == status else None
        since = begun or self.now
        return {"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message}


def _is_leaving(namespace: Object) -> bool:
    return "deletionTimestamp" in namespace["metadata"] and FINALIZER in namespace["spec"].get("finalizers", ())
