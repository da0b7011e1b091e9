"""Events as ``events.k8s.io/v1`` has them: the same objects as those of the core API, with other names for the fields.

etcd holds every event as the core API has it, in one folder.  What is written through the newer API is turned into that
form on its way in and back on its way out.  Source: pkg/apis/events/v1/conversion.go.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import Invalid
from autograder.controlplane.apimachinery.wire import Object, WatchEvent
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.decoding import normal_form
from autograder.controlplane.kube_apiserver.registry.generic import Errors, Registry, Transform
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions, ListOptions, WatchOptions
from autograder.controlplane.kube_apiserver.watching import ApiWatch

NEW_EVENTS: Final = scheme.resource("events", "events.k8s.io")

#: Names of the newer API -> names of the core API, where they differ.
_RENAMED: Final = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_BACK: Final = {old: new for new, old in _RENAMED.items()}


def to_core(event: Object) -> Object:
    """The event as the core API has it; one that is in that form already stays as it is."""
    if event["apiVersion"] == scheme.EVENTS.api_version:
        return event
    renamed = {_RENAMED.get(name, name): value for name, value in event.items()}
    return normal_form({**renamed, "apiVersion": scheme.EVENTS.api_version}, scheme.EVENTS.go_type)


def from_core(event: Object) -> Object:
    """The event as the newer API has it; one that is in that form already stays as it is."""
    if event["apiVersion"] == NEW_EVENTS.api_version:
        return event
    renamed = {_BACK.get(name, name): value for name, value in event.items()}
    return normal_form({**renamed, "apiVersion": NEW_EVENTS.api_version}, NEW_EVENTS.go_type)


class NewEventRegistry(Registry):
    """The events, as clients of the newer API see them."""

    def get(self, namespace: str, name: str) -> Object:
        return from_core(super().get(namespace, name))

    def list(self, namespace: str, options: ListOptions) -> Object:
        listed = super().list(namespace, options)
        return {**listed, "items": [from_core(event) for event in listed["items"]]}

    def watch(self, namespace: str, options: WatchOptions) -> ApiWatch:
        return _NewWatch(super().watch(namespace, options))

    def create(self, attributes: Attributes) -> Object:
        assert attributes.object is not None
        attributes.object = to_core(attributes.object)
        return from_core(super().create(attributes))

    def update(self, attributes: Attributes, transform: Transform, *, create: bool = False) -> tuple[Object, bool]:
        def in_core(old: Object | None) -> Object:
            return to_core(transform(None if old is None else from_core(old)))

        stored, created = super().update(attributes, in_core, create=create)
        return from_core(stored), created

    def _refuse(self, obj: Object, errors: Errors) -> None:
        """What is wrong is said of the stored form, an event of the core API."""
        if errors:
            raise Invalid.on(scheme.EVENTS.kind, scheme.EVENTS.group, obj["metadata"].get("name", ""), errors)

    def delete(self, attributes: Attributes, options: DeleteOptions) -> tuple[Object, bool]:
        last, gone = super().delete(attributes, options)
        return from_core(last), gone


class _NewWatch(ApiWatch):
    """A watch of the core API, in the words of the newer one."""

    def __init__(self, core: ApiWatch) -> None:
        self._core = core

    @property
    def revision(self) -> int:
        return self._core.revision

    def waiting(self) -> bool:
        return self._core.waiting()

    def poll(self) -> list[WatchEvent]:
        return [
            event if event.type in ("BOOKMARK", "ERROR") else WatchEvent(event.type, from_core(event.object))
            for event in self._core.poll()
        ]
