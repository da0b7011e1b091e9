"""What the API server fills in where a freshly decoded object leaves something out.

Defaults are set after decoding and before admission, in place; the object stays in normal form. Each kind has one
function, which mirrors ``SetDefaults_*`` of pkg/apis/<group>/<version>/defaults.go and the conversions that change
what a client sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autograder.controlplane.kube_apiserver.defaulting import (
    apps,
    autoscaling,
    batch,
    configuration,
    limitranges,
    namespaces,
    networking,
    nodes,
    pods,
    quotas,
    rbac,
    scheduling,
    services,
    storage,
)

Defaulter = Callable[[dict[str, Any]], None]

#: Type name -> its defaults; kinds that are not here have none.
DEFAULTS: Final[dict[str, Defaulter]] = {
    "apps/v1.DaemonSet": apps.default_daemon_set,
    "apps/v1.Deployment": apps.default_deployment,
    "apps/v1.ReplicaSet": apps.default_replica_set,
    "apps/v1.StatefulSet": apps.default_stateful_set,
    "autoscaling/v1.HorizontalPodAutoscaler": autoscaling.default_old_horizontal_pod_autoscaler,
    "autoscaling/v2.HorizontalPodAutoscaler": autoscaling.default_horizontal_pod_autoscaler,
    "batch/v1.CronJob": batch.default_cron_job,
    "batch/v1.Job": batch.default_job,
    "core/v1.Endpoints": services.default_endpoints,
    "core/v1.LimitRange": limitranges.default_limit_range,
    "core/v1.Namespace": namespaces.default_namespace,
    "core/v1.Node": nodes.default_node,
    "core/v1.PersistentVolume": storage.default_persistent_volume,
    "core/v1.PersistentVolumeClaim": storage.default_persistent_volume_claim,
    "core/v1.Pod": pods.default_pod,
    "core/v1.PodTemplate": pods.default_pod_template,
    "core/v1.ReplicationController": apps.default_replication_controller,
    "core/v1.ResourceQuota": quotas.default_resource_quota,
    "core/v1.Secret": configuration.default_secret,
    "core/v1.Service": services.default_service,
    "discovery/v1.EndpointSlice": services.default_endpoint_slice,
    "networking/v1.IngressClass": networking.default_ingress_class,
    "networking/v1.NetworkPolicy": networking.default_network_policy,
    "rbac/v1.ClusterRoleBinding": rbac.default_role_binding,
    "rbac/v1.RoleBinding": rbac.default_role_binding,
    "scheduling/v1.PriorityClass": scheduling.default_priority_class,
    "storage/v1.StorageClass": storage.default_storage_class,
}


def default(type_name: str, obj: dict[str, Any]) -> None:
    """Set the defaults of a decoded object of a type, in place."""
    if defaulter := DEFAULTS.get(type_name):
        defaulter(obj)
