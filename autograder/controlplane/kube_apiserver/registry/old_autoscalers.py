"""The HorizontalPodAutoscalers, as clients of ``autoscaling/v1`` see them: etcd holds them as ``autoscaling/v2``."""

from __future__ import annotations

from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object, WatchEvent
from autograder.controlplane.kube_apiserver.admission.chain import AdmissionChain
from autograder.controlplane.kube_apiserver.attributes import Attributes
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.old_autoscalers import NEW, OLD, to_new, to_old
from autograder.controlplane.kube_apiserver.registry.generic import Registry, Transform
from autograder.controlplane.kube_apiserver.registry.options import DeleteOptions, ListOptions, WatchOptions
from autograder.controlplane.kube_apiserver.watching import ApiWatch


class OldAutoscalerRegistry(Registry):
    """The autoscalers of the newer version, turned into the older one and back."""

    def __init__(self, kind: ResourceType, backend: Backend, admission: AdmissionChain) -> None:
        super().__init__(NEW, backend, admission)

    def get(self, namespace: str, name: str) -> Object:
        return to_old(super().get(namespace, name))

    def list(self, namespace: str, options: ListOptions) -> Object:
        listed = super().list(namespace, options)
        return {**listed, "apiVersion": OLD.api_version, "items": [to_old(one) for one in listed["items"]]}

    def watch(self, namespace: str, options: WatchOptions) -> ApiWatch:
        return _OldWatch(super().watch(namespace, options))

    def create(self, attributes: Attributes) -> Object:
        assert attributes.object is not None
        attributes.object = to_new(attributes.object)
        return to_old(super().create(attributes))

    def update(self, attributes: Attributes, transform: Transform, *, create: bool = False) -> tuple[Object, bool]:
        def in_new(old: Object | None) -> Object:
            return to_new(transform(None if old is None else to_old(old)))

        stored, created = super().update(attributes, in_new, create=create)
        return to_old(stored), created

    def delete(self, attributes: Attributes, options: DeleteOptions) -> tuple[Object, bool]:
        last, gone = super().delete(attributes, options)
        return to_old(last), gone


class _OldWatch(ApiWatch):
    """A watch of the newer version, in the words of the older one."""

    def __init__(self, new: ApiWatch) -> None:
        self._new = new

    @property
    def revision(self) -> int:
        return self._new.revision

    def waiting(self) -> bool:
        return self._new.waiting()

    def poll(self) -> list[WatchEvent]:
        return [WatchEvent(event.type, _shown(event)) for event in self._new.poll()]


def _shown(event: WatchEvent) -> Object:
    if event.type == "ERROR":
        return event.object
    if event.type == "BOOKMARK":
        return {**event.object, "apiVersion": OLD.api_version}
    return to_old(event.object)
