"""Events as ``events.k8s.io/v1`` has them: the same objects as those of the core API, with other names for the fields.

etcd holds every event as the core API has it, in one folder.  What is written through the newer API is turned into that
form on its way in and back on its way out.  Source: pkg/apis/events/v1/conversion.go.
"""

from __future__ import annotations

from typing import Final

from autograder.controlplane.apimachinery import scheme
from autograder.controlplane.apimachinery.errors import Invalid
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.decoding import normal_form
from autograder.controlplane.kube_apiserver.registry.converted import ConvertedRegistry
from autograder.controlplane.kube_apiserver.registry.generic import Errors

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


class NewEventRegistry(ConvertedRegistry):
    """The events, as clients of the newer API see them."""

    served = NEW_EVENTS

    def to_stored(self, obj: Object) -> Object:
        return to_core(obj)

    def to_served(self, obj: Object) -> Object:
        return from_core(obj)

    def _refuse(self, obj: Object, errors: Errors) -> None:
        """What is wrong is said of the stored form, an event of the core API."""
        if errors:
            raise Invalid.on(scheme.EVENTS.kind, scheme.EVENTS.group, obj["metadata"].get("name", ""), errors)
