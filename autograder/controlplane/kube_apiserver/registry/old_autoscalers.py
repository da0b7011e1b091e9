"""The HorizontalPodAutoscalers, as clients of ``autoscaling/v1`` see them: etcd holds them as ``autoscaling/v2``."""

from __future__ import annotations

from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.chain import AdmissionChain
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.old_autoscalers import NEW, OLD, to_new, to_old
from autograder.controlplane.kube_apiserver.registry.converted import ConvertedRegistry


class OldAutoscalerRegistry(ConvertedRegistry):
    """The autoscalers of the newer version, turned into the older one and back."""

    served = OLD

    def __init__(self, kind: ResourceType, backend: Backend, admission: AdmissionChain) -> None:
        super().__init__(NEW, backend, admission)

    def to_stored(self, obj: Object) -> Object:
        return to_new(obj)

    def to_served(self, obj: Object) -> Object:
        return to_old(obj)
