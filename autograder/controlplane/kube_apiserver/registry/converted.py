"""Objects that etcd holds in the form of one API version, and that clients of another version see in its form.

What is written in the other form is turned into the stored one on its way in, and back on its way out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, WatchEvent
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.registry.generic import Registry, Transform
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions, ListOptions, WatchOptions
from autograder.controlplane.kube_apiserver.watching import ApiWatch


class ConvertedRegistry(Registry):
    """The stored objects, as clients of the version of ``served`` see them.

    Each conversion leaves an object alone that is in the form it gives already.
    """

    served: ClassVar[ResourceType]

    def to_stored(self, obj: Object) -> Object:
        """An object in the form in which etcd holds it."""
        raise NotImplementedError

    def to_served(self, obj: Object) -> Object:
        """An object in the form in which clients see it."""
        raise NotImplementedError

    def get(self, namespace: str, name: str) -> Object:
        return self.to_served(super().get(namespace, name))

    def list(self, namespace: str, options: ListOptions) -> Object:
        listed = super().list(namespace, options)
        items = [self.to_served(one) for one in listed["items"]]
        return {**listed, "apiVersion": self.served.api_version, "items": items}

    def watch(self, namespace: str, options: WatchOptions) -> ApiWatch:
        return _ConvertedWatch(super().watch(namespace, options), self.served, self.to_served)

    def create(self, attributes: Attributes) -> Object:
        assert attributes.object is not None
        attributes.object = self.to_stored(attributes.object)
        return self.to_served(super().create(attributes))

    def update(self, attributes: Attributes, transform: Transform, *, create: bool = False) -> tuple[Object, bool]:
        def in_stored(old: Object | None) -> Object:
            return self.to_stored(transform(None if old is None else self.to_served(old)))

        stored, created = super().update(attributes, in_stored, create=create)
        return self.to_served(stored), created

    def delete(self, attributes: Attributes, options: DeleteOptions) -> tuple[Object, bool]:
        last, gone = super().delete(attributes, options)
        return self.to_served(last), gone


class _ConvertedWatch(ApiWatch):
    """A watch of the stored objects, as clients of another version see them."""

    def __init__(self, stored: ApiWatch, served: ResourceType, convert: Callable[[Object], Object]) -> None:
        self._stored = stored
        self._served = served
        self._convert = convert

    @property
    def revision(self) -> int:
        return self._stored.revision

    def waiting(self) -> bool:
        return self._stored.waiting()

    def poll(self) -> list[WatchEvent]:
        return [WatchEvent(event.type, self._shown(event)) for event in self._stored.poll()]

    def _shown(self, event: WatchEvent) -> Object:
        if event.type == "ERROR":
            return event.object
        if event.type == "BOOKMARK":
            return {**event.object, "apiVersion": self._served.api_version}
        return self._convert(event.object)
