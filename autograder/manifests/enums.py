"""The values that a text field may have, where Kubernetes allows only a few.

The published schemas say of such a field only that it is a string; the server's validation knows more. This table
holds what the Go types of Kubernetes v1.36 mark as enumerations and what their validation lists, for the stable API
groups. Fields that only Kubernetes itself writes (``status``) are left out. An empty string is not listed: it means
"not given".
"""

from __future__ import annotations

from typing import Final

_PULL = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("TCP", "UDP", "SCTP")
_ACCESS_MODES = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")
_RECLAIM = ("Retain", "Delete", "Recycle")
_TERMINATION = ("File", "FallbackToLogsOnError")
_UPDATES = ("RollingUpdate", "OnDelete")
_PROFILES = ("RuntimeDefault", "Localhost", "Unconfined")
_TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_SELECTS = ("In", "NotIn", "Exists", "DoesNotExist")
_PREEMPTION = ("PreemptLowerPriority", "Never")
_FAILURE = ("Fail", "Ignore")
_MATCH = ("Exact", "Equivalent")
_SIDE_EFFECTS = ("None", "NoneOnDryRun", "Some", "Unknown")
_VERBS = ("*", "CREATE", "UPDATE", "DELETE", "CONNECT")
_SCOPES = ("*", "Cluster", "Namespaced")
_QUOTA_SCOPES = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
)

#: Definition (without its leading ``io.k8s.``) and field, to the values allowed. A list field: each entry.
ENUMS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("api.admissionregistration.v1.MatchResources", "matchPolicy"): _MATCH,
    ("api.admissionregistration.v1.MutatingAdmissionPolicySpec", "failurePolicy"): _FAILURE,
    ("api.admissionregistration.v1.MutatingAdmissionPolicySpec", "reinvocationPolicy"): ("Never", "IfNeeded"),
    ("api.admissionregistration.v1.MutatingWebhook", "failurePolicy"): _FAILURE,
    ("api.admissionregistration.v1.MutatingWebhook", "matchPolicy"): _MATCH,
    ("api.admissionregistration.v1.MutatingWebhook", "reinvocationPolicy"): ("Never", "IfNeeded"),
    ("api.admissionregistration.v1.MutatingWebhook", "sideEffects"): _SIDE_EFFECTS,
    ("api.admissionregistration.v1.Mutation", "patchType"): ("ApplyConfiguration", "JSONPatch"),
    ("api.admissionregistration.v1.NamedRuleWithOperations", "operations"): _VERBS,
    ("api.admissionregistration.v1.NamedRuleWithOperations", "scope"): _SCOPES,
    ("api.admissionregistration.v1.RuleWithOperations", "operations"): _VERBS,
    ("api.admissionregistration.v1.RuleWithOperations", "scope"): _SCOPES,
    ("api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec", "validationActions"): (
        "Deny",
        "Warn",
        "Audit",
    ),
    ("api.admissionregistration.v1.ValidatingAdmissionPolicySpec", "failurePolicy"): _FAILURE,
    ("api.admissionregistration.v1.ValidatingWebhook", "failurePolicy"): _FAILURE,
    ("api.admissionregistration.v1.ValidatingWebhook", "matchPolicy"): _MATCH,
    ("api.admissionregistration.v1.ValidatingWebhook", "sideEffects"): _SIDE_EFFECTS,
    ("api.apps.v1.DaemonSetUpdateStrategy", "type"): _UPDATES,
    ("api.apps.v1.DeploymentStrategy", "type"): ("RollingUpdate", "Recreate"),
    ("api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy", "whenDeleted"): ("Retain", "Delete"),
    ("api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy", "whenScaled"): ("Retain", "Delete"),
    ("api.apps.v1.StatefulSetSpec", "podManagementPolicy"): ("OrderedReady", "Parallel"),
    ("api.apps.v1.StatefulSetUpdateStrategy", "type"): _UPDATES,
    ("api.autoscaling.v2.HPAScalingPolicy", "type"): ("Pods", "Percent"),
    ("api.autoscaling.v2.HPAScalingRules", "selectPolicy"): ("Max", "Min", "Disabled"),
    ("api.autoscaling.v2.MetricSpec", "type"): ("Resource", "ContainerResource", "Pods", "Object", "External"),
    ("api.autoscaling.v2.MetricTarget", "type"): ("Utilization", "Value", "AverageValue"),
    ("api.batch.v1.CronJobSpec", "concurrencyPolicy"): ("Allow", "Forbid", "Replace"),
    ("api.batch.v1.JobSpec", "completionMode"): ("NonIndexed", "Indexed"),
    ("api.batch.v1.JobSpec", "podReplacementPolicy"): ("TerminatingOrFailed", "Failed"),
    ("api.batch.v1.PodFailurePolicyOnExitCodesRequirement", "operator"): ("In", "NotIn"),
    ("api.batch.v1.PodFailurePolicyRule", "action"): ("FailJob", "FailIndex", "Ignore", "Count"),
    ("api.core.v1.AppArmorProfile", "type"): _PROFILES,
    ("api.core.v1.Container", "imagePullPolicy"): _PULL,
    ("api.core.v1.Container", "terminationMessagePolicy"): _TERMINATION,
    ("api.core.v1.ContainerPort", "protocol"): _PROTOCOLS,
    ("api.core.v1.EndpointPort", "protocol"): _PROTOCOLS,
    ("api.core.v1.EphemeralContainer", "imagePullPolicy"): _PULL,
    ("api.core.v1.EphemeralContainer", "terminationMessagePolicy"): _TERMINATION,
    ("api.core.v1.HTTPGetAction", "scheme"): ("HTTP", "HTTPS"),
    ("api.core.v1.HostPathVolumeSource", "type"): (
        "DirectoryOrCreate",
        "Directory",
        "FileOrCreate",
        "File",
        "Socket",
        "CharDevice",
        "BlockDevice",
    ),
    ("api.core.v1.ImageVolumeSource", "pullPolicy"): _PULL,
    ("api.core.v1.NodeSelectorRequirement", "operator"): (*_SELECTS, "Gt", "Lt"),
    ("api.core.v1.PersistentVolumeClaimSpec", "accessModes"): _ACCESS_MODES,
    ("api.core.v1.PersistentVolumeClaimSpec", "volumeMode"): ("Filesystem", "Block"),
    ("api.core.v1.PersistentVolumeSpec", "accessModes"): _ACCESS_MODES,
    ("api.core.v1.PersistentVolumeSpec", "persistentVolumeReclaimPolicy"): _RECLAIM,
    ("api.core.v1.PersistentVolumeSpec", "volumeMode"): ("Filesystem", "Block"),
    ("api.core.v1.PodSecurityContext", "fsGroupChangePolicy"): ("Always", "OnRootMismatch"),
    ("api.core.v1.PodSecurityContext", "supplementalGroupsPolicy"): ("Merge", "Strict"),
    ("api.core.v1.PodSpec", "dnsPolicy"): ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    ("api.core.v1.PodSpec", "preemptionPolicy"): _PREEMPTION,
    ("api.core.v1.PodSpec", "restartPolicy"): ("Always", "OnFailure", "Never"),
    ("api.core.v1.ResourceQuotaSpec", "scopes"): _QUOTA_SCOPES,
    ("api.core.v1.ScopedResourceSelectorRequirement", "operator"): _SELECTS,
    ("api.core.v1.ScopedResourceSelectorRequirement", "scopeName"): _QUOTA_SCOPES,
    ("api.core.v1.SeccompProfile", "type"): _PROFILES,
    ("api.core.v1.SecurityContext", "procMount"): ("Default", "Unmasked"),
    ("api.core.v1.ServicePort", "protocol"): _PROTOCOLS,
    ("api.core.v1.ServiceSpec", "externalTrafficPolicy"): ("Cluster", "Local"),
    ("api.core.v1.ServiceSpec", "internalTrafficPolicy"): ("Cluster", "Local"),
    ("api.core.v1.ServiceSpec", "ipFamilies"): ("IPv4", "IPv6"),
    ("api.core.v1.ServiceSpec", "ipFamilyPolicy"): ("SingleStack", "PreferDualStack", "RequireDualStack"),
    ("api.core.v1.ServiceSpec", "sessionAffinity"): ("ClientIP", "None"),
    ("api.core.v1.ServiceSpec", "type"): ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
    ("api.core.v1.Taint", "effect"): _TAINT_EFFECTS,
    ("api.core.v1.Toleration", "effect"): _TAINT_EFFECTS,
    ("api.core.v1.Toleration", "operator"): ("Exists", "Equal", "Gt", "Lt"),
    ("api.core.v1.TopologySpreadConstraint", "nodeAffinityPolicy"): ("Honor", "Ignore"),
    ("api.core.v1.TopologySpreadConstraint", "nodeTaintsPolicy"): ("Honor", "Ignore"),
    ("api.core.v1.TopologySpreadConstraint", "whenUnsatisfiable"): ("DoNotSchedule", "ScheduleAnyway"),
    ("api.core.v1.VolumeMount", "mountPropagation"): ("None", "HostToContainer", "Bidirectional"),
    ("api.discovery.v1.EndpointPort", "protocol"): _PROTOCOLS,
    ("api.discovery.v1.EndpointSlice", "addressType"): ("IPv4", "IPv6", "FQDN"),
    ("api.networking.v1.HTTPIngressPath", "pathType"): ("Exact", "Prefix", "ImplementationSpecific"),
    ("api.networking.v1.NetworkPolicyPort", "protocol"): _PROTOCOLS,
    ("api.networking.v1.NetworkPolicySpec", "policyTypes"): ("Ingress", "Egress"),
    ("api.policy.v1.PodDisruptionBudgetSpec", "unhealthyPodEvictionPolicy"): ("IfHealthyBudget", "AlwaysAllow"),
    ("api.rbac.v1.Subject", "kind"): ("User", "Group", "ServiceAccount"),
    ("api.scheduling.v1.PriorityClass", "preemptionPolicy"): _PREEMPTION,
    ("api.storage.v1.StorageClass", "reclaimPolicy"): _RECLAIM,
    ("api.storage.v1.StorageClass", "volumeBindingMode"): ("Immediate", "WaitForFirstConsumer"),
    ("apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement", "operator"): _SELECTS,
}


def allowed_values(definition: str, field: str) -> tuple[str, ...]:
    """The values that ``field`` of ``definition`` (``io.k8s.api.core.v1.PodSpec``) may have; empty if any will do."""
    return ENUMS.get((definition.removeprefix("io.k8s."), field), ())
