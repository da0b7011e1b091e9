"""Fields of features that are off by default in v1.36: a server drops them from new objects before it validates.

Source: ``dropDisabledFields`` of pkg/api/pod and of the strategies in pkg/registry; pkg/features/kube_features.go says
what is on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autograder.controlplane.apimachinery.pod_spec import all_containers

Obj = dict[str, Any]

#: Sources of projected volumes behind ClusterTrustBundleProjection and PodCertificateRequest.
_PROJECTIONS: Final = ("clusterTrustBundle", "podCertificate")


def drop_disabled_fields(type_name: str, obj: Obj) -> None:
    """Take away from a new object what this version does not do unless asked to by an operator."""
    if find := _POD_SPECS.get(type_name):
        _drop_from_pod(find(obj))
    if drop := _OWN.get(type_name):
        drop(obj)


def _drop_from_pod(spec: Obj) -> None:
    spec.pop("schedulingGroup", None)  # GenericWorkload
    for volume in spec.get("volumes", ()):
        for source in volume.get("projected", {}).get("sources") or ():
            for name in _PROJECTIONS:
                source.pop(name, None)
    for container in all_containers(spec):
        lifecycle = container.get("lifecycle", {})
        if lifecycle.pop("stopSignal", None) is not None and not lifecycle:  # ContainerStopSignals
            del container["lifecycle"]


def _drop_max_unavailable(stateful_set: Obj) -> None:
    """MaxUnavailableStatefulSet."""
    stateful_set["spec"]["updateStrategy"].get("rollingUpdate", {}).pop("maxUnavailable", None)


def _drop_other_namespace(claim: Obj) -> None:
    """CrossNamespaceVolumeDataSource."""
    if claim["spec"].get("dataSourceRef", {}).get("namespace"):
        del claim["spec"]["dataSourceRef"]


def _of_template(obj: Obj) -> Obj:
    spec: Obj = obj["spec"].get("template", {}).get("spec", {})
    return spec


#: Type name -> the pod's spec in an object of it.
_POD_SPECS: Final[dict[str, Callable[[Obj], Obj]]] = {
    "apps/v1.DaemonSet": _of_template,
    "apps/v1.Deployment": _of_template,
    "apps/v1.ReplicaSet": _of_template,
    "apps/v1.StatefulSet": _of_template,
    "batch/v1.CronJob": lambda cron_job: _of_template(cron_job["spec"]["jobTemplate"]),
    "batch/v1.Job": _of_template,
    "core/v1.Pod": lambda pod: pod["spec"],
    "core/v1.PodTemplate": lambda template: template.get("template", {}).get("spec", {}),
    "core/v1.ReplicationController": _of_template,
}

#: Type name -> what else goes.
_OWN: Final[dict[str, Callable[[Obj], None]]] = {
    "apps/v1.StatefulSet": _drop_max_unavailable,
    "core/v1.PersistentVolumeClaim": _drop_other_namespace,
}
