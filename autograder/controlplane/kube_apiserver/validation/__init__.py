"""Rules that hold for the objects of each kind, with the messages that Kubernetes gives where they are broken.

A rule is a line near its field: it yields ``FieldError`` objects, and the order in which rules stand is the order of
the messages. Rules see objects after defaulting and mutating admission; they change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from autograder.controlplane.apimachinery.field import FieldError
from autograder.controlplane.kube_apiserver.validation import (
    apps,
    autoscaling,
    batch,
    configuration,
    coordination,
    endpoints,
    events,
    ingresses,
    job_status,
    job_updates,
    limitranges,
    meta,
    names,
    namespaces,
    networkpolicies,
    nodes,
    persistent_volumes,
    pod_status,
    pod_updates,
    pods,
    policy,
    quotas,
    rbac,
    scheduling,
    services,
    stateful_sets,
    storage,
)

Create = Callable[[dict[str, Any]], Iterable[FieldError]]
Update = Callable[[dict[str, Any], dict[str, Any]], Iterable[FieldError]]

#: Type name -> rules for a new object; kinds that are not here are only decoded.
CREATE: Final[dict[str, Create]] = {
    "apps/v1.ControllerRevision": apps.validate_controller_revision,
    "apps/v1.DaemonSet": apps.validate_daemon_set,
    "apps/v1.Deployment": apps.validate_deployment,
    "apps/v1.ReplicaSet": apps.validate_replica_set,
    "apps/v1.StatefulSet": stateful_sets.validate_stateful_set,
    "autoscaling/v2.HorizontalPodAutoscaler": autoscaling.validate_horizontal_pod_autoscaler,
    "batch/v1.CronJob": batch.validate_cron_job,
    "batch/v1.Job": batch.validate_job,
    "coordination/v1.Lease": coordination.validate_lease,
    "core/v1.ConfigMap": configuration.validate_config_map,
    "core/v1.Endpoints": endpoints.validate_endpoints,
    "core/v1.Event": events.validate_event,
    "core/v1.LimitRange": limitranges.validate_limit_range,
    "core/v1.Namespace": namespaces.validate_namespace,
    "core/v1.Node": nodes.validate_node,
    "core/v1.PersistentVolume": persistent_volumes.validate_persistent_volume,
    "core/v1.PersistentVolumeClaim": storage.validate_persistent_volume_claim,
    "core/v1.Pod": pods.validate_pod,
    "core/v1.PodTemplate": pods.validate_pod_template_object,
    "core/v1.ReplicationController": apps.validate_replication_controller,
    "core/v1.ResourceQuota": quotas.validate_resource_quota,
    "core/v1.Secret": configuration.validate_secret,
    "core/v1.Service": services.validate_service,
    "core/v1.ServiceAccount": configuration.validate_service_account,
    "discovery/v1.EndpointSlice": endpoints.validate_endpoint_slice,
    "events/v1.Event": events.validate_event_strictly,
    "networking/v1.Ingress": ingresses.validate_ingress,
    "networking/v1.IngressClass": ingresses.validate_ingress_class,
    "networking/v1.NetworkPolicy": networkpolicies.validate_network_policy,
    "policy/v1.PodDisruptionBudget": policy.validate_pod_disruption_budget,
    "rbac/v1.ClusterRole": rbac.validate_cluster_role,
    "rbac/v1.ClusterRoleBinding": rbac.validate_cluster_role_binding,
    "rbac/v1.Role": rbac.validate_role,
    "rbac/v1.RoleBinding": rbac.validate_role_binding,
    "scheduling/v1.PriorityClass": scheduling.validate_priority_class,
    "storage/v1.StorageClass": persistent_volumes.validate_storage_class,
}

#: Type name -> rules for a changed object, given the new and the old one; those for a change of the status alone have
#: ``Status`` at the end of the name.
UPDATE: Final[dict[str, Update]] = {
    "apps/v1.ControllerRevision": apps.validate_controller_revision_update,
    "apps/v1.DaemonSet": apps.validate_daemon_set_update,
    "apps/v1.DaemonSetStatus": apps.validate_daemon_set_status_update,
    "apps/v1.Deployment": apps.validate_deployment_update,
    "apps/v1.DeploymentStatus": apps.validate_deployment_status_update,
    "apps/v1.ReplicaSet": apps.validate_replica_set_update,
    "apps/v1.ReplicaSetStatus": apps.validate_replicas_status_update,
    "apps/v1.StatefulSet": stateful_sets.validate_stateful_set_update,
    "apps/v1.StatefulSetStatus": stateful_sets.validate_stateful_set_status_update,
    "autoscaling/v2.HorizontalPodAutoscaler": autoscaling.validate_horizontal_pod_autoscaler_update,
    "autoscaling/v2.HorizontalPodAutoscalerStatus": autoscaling.validate_horizontal_pod_autoscaler_status_update,
    "batch/v1.CronJob": batch.validate_cron_job_update,
    "batch/v1.Job": job_updates.validate_job_update,
    "batch/v1.JobStatus": job_status.validate_job_status_update,
    "coordination/v1.Lease": coordination.validate_lease_update,
    "core/v1.ConfigMap": configuration.validate_config_map_update,
    "core/v1.Endpoints": endpoints.validate_endpoints_update,
    "core/v1.Event": events.validate_event_update,
    "core/v1.LimitRange": limitranges.validate_limit_range_update,
    "core/v1.Namespace": namespaces.validate_namespace_update,
    "core/v1.NamespaceFinalize": namespaces.validate_namespace_finalize_update,
    "core/v1.NamespaceStatus": namespaces.validate_namespace_status_update,
    "core/v1.Node": nodes.validate_node_update,
    "core/v1.NodeStatus": nodes.validate_node_status_update,
    "core/v1.PersistentVolume": persistent_volumes.validate_persistent_volume_update,
    "core/v1.PersistentVolumeStatus": persistent_volumes.validate_persistent_volume_status_update,
    "core/v1.PersistentVolumeClaim": storage.validate_persistent_volume_claim_update,
    "core/v1.PersistentVolumeClaimStatus": storage.validate_persistent_volume_claim_status_update,
    "core/v1.Pod": pod_updates.validate_pod_update,
    "core/v1.PodEphemeralContainers": pod_updates.validate_ephemeral_containers_update,
    "core/v1.PodResize": pod_updates.validate_pod_resize,
    "core/v1.PodStatus": pod_status.validate_pod_status_update,
    "core/v1.PodTemplate": pods.validate_pod_template_update,
    "core/v1.ReplicationController": apps.validate_replication_controller_update,
    "core/v1.ReplicationControllerStatus": apps.validate_replicas_status_update,
    "core/v1.ResourceQuota": quotas.validate_resource_quota_update,
    "core/v1.ResourceQuotaStatus": quotas.validate_resource_quota_status_update,
    "core/v1.Secret": configuration.validate_secret_update,
    "core/v1.Service": services.validate_service_update,
    "core/v1.ServiceStatus": services.validate_service_status_update,
    "core/v1.ServiceAccount": configuration.validate_service_account_update,
    "discovery/v1.EndpointSlice": endpoints.validate_endpoint_slice_update,
    "events/v1.Event": events.validate_event_update_strictly,
    "networking/v1.Ingress": ingresses.validate_ingress_update,
    "networking/v1.IngressStatus": ingresses.validate_ingress_status_update,
    "networking/v1.IngressClass": ingresses.validate_ingress_class_update,
    "networking/v1.NetworkPolicy": networkpolicies.validate_network_policy_update,
    "policy/v1.PodDisruptionBudget": policy.validate_pod_disruption_budget_update,
    "policy/v1.PodDisruptionBudgetStatus": policy.validate_pod_disruption_budget_status_update,
    "rbac/v1.ClusterRole": rbac.validate_cluster_role_update,
    "rbac/v1.ClusterRoleBinding": rbac.validate_cluster_role_binding_update,
    "rbac/v1.Role": rbac.validate_role_update,
    "rbac/v1.RoleBinding": rbac.validate_role_binding_update,
    "scheduling/v1.PriorityClass": scheduling.validate_priority_class_update,
    "storage/v1.StorageClass": persistent_volumes.validate_storage_class_update,
}


def validate_create(type_name: str, obj: dict[str, Any]) -> list[FieldError]:
    """What is wrong with a new object, in order: by the rules of its kind, or else by those that hold for all names."""
    rules = CREATE.get(type_name)
    return list(rules(obj) if rules else ()) or list(_validate_common_metadata(obj))


def validate_update(type_name: str, new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """What is wrong with a changed object, in order: by the rules that hold for all metadata, and those of its kind."""
    rules = UPDATE.get(type_name)
    return [
        *_validate_common_metadata(new),
        *meta.validate_metadata_update(new["metadata"], old["metadata"]),
        *(rules(new, old) if rules else ()),
    ]


def _validate_common_metadata(obj: dict[str, Any]) -> Iterable[FieldError]:
    metadata = obj["metadata"]
    namespaced = bool(metadata.get("namespace"))
    return meta.validate_metadata(metadata, namespaced=namespaced, name=names.path_segment)
