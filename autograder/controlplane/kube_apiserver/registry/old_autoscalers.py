"""The HorizontalPodAutoscalers, as clients of ``autoscaling/v1`` see them: etcd holds them as ``autoscaling/v2``."""

from __future__ import annotations

from autograder.controlplane.apimachinery.scheme import ResourceType
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.admission.chain import AdmissionChain
from autograder.controlplane.kube_apiserver.backend import Backend
from autograder.controlplane.kube_apiserver.old_autoscalers import V1, V2, to_v1, to_v2
from autograder.controlplane.kube_apiserver.registry.converted import ConvertedRegistry


class OldAutoscalerRegistry(ConvertedRegistry):
    """The autoscalers of v2, turned into v1 and back."""

    served = V1

    def __init__(self, kind: ResourceType, backend: Backend, admission: AdmissionChain) -> None:
        super().__init__(V2, backend, admission)

    def to_stored(self, obj: Object) -> Object:
        return to_v2(obj)

    def to_served(self, obj: Object) -> Object:
        return to_v1(obj)
