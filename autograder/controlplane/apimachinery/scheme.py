"""The kinds of Kubernetes that this control plane serves, as one table.

A row says what discovery says of a resource (group, version, kind, names, scope) and where etcd keeps its objects.
Clients map kinds to paths with it, the API server builds its routes and discovery documents from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
REVIEW_VERBS = ("create",)


@dataclass(frozen=True)
class ResourceType:
    """One resource of the API.

    ``prefix`` is the folder below ``/registry/`` in which etcd holds the objects; ``go_type`` names the Go type that
    gives the fields.  ``subresources`` are the names after the object's own, such as ``status``.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    storage_prefix: str = ""

    @cached_property
    def api_version(self) -> str:
        """``v1`` for the core group, ``apps/v1`` for others."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def singular(self) -> str:
        """The kind in lower case, as kubectl accepts it."""
        return self.kind.lower()

    @cached_property
    def prefix(self) -> str:
        """The etcd folder of the objects, with slashes at both ends: ``/registry/pods/``."""
        return f"/registry/{self.storage_prefix or self.plural}/"

    @cached_property
    def root(self) -> str:
        """The URL path of the group and version: ``/api/v1`` or ``/apis/apps/v1``."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @cached_property
    def go_type(self) -> str:
        """The Go type that describes the object, for instance ``apps/v1.Deployment``."""
        return f"{self.group.partition('.')[0] or 'core'}/{self.version}.{self.kind}"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL path of a collection, an object or one of its subresources."""
        parts = [self.root]
        if namespace and self.namespaced:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        parts += [part for part in (name, subresource) if part]
        return "/".join(parts)

    def storage_key(self, namespace: str, name: str) -> str:
        """The etcd key of one object: ``/registry/pods/default/web``."""
        return f"{self.prefix}{namespace}/{name}" if self.namespaced else self.prefix + name

    def storage_folder(self, namespace: str = "") -> str:
        """The etcd prefix of all objects, or of those of one namespace."""
        return f"{self.prefix}{namespace}/" if namespace and self.namespaced else self.prefix


_STATUS = ("status",)
_SCALED = ("scale", "status")

RESOURCES: tuple[ResourceType, ...] = (
    ResourceType("", "v1", "Binding", "bindings", verbs=REVIEW_VERBS),
    ResourceType(
        "", "v1", "ComponentStatus", "componentstatuses", namespaced=False, short_names=("cs",), verbs=("get", "list")
    ),
    ResourceType("", "v1", "ConfigMap", "configmaps", short_names=("cm",)),
    ResourceType("", "v1", "Endpoints", "endpoints", short_names=("ep",), storage_prefix="services/endpoints"),
    ResourceType("", "v1", "Event", "events", short_names=("ev",)),
    ResourceType("", "v1", "LimitRange", "limitranges", short_names=("limits",)),
    ResourceType(
        "",
        "v1",
        "Namespace",
        "namespaces",
        namespaced=False,
        short_names=("ns",),
        subresources=("finalize", "status"),
        verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    ),
    ResourceType(
        "", "v1", "Node", "nodes", namespaced=False, short_names=("no",), subresources=_STATUS, storage_prefix="minions"
    ),
    ResourceType(
        "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", short_names=("pvc",), subresources=_STATUS
    ),
    ResourceType(
        "", "v1", "PersistentVolume", "persistentvolumes", namespaced=False, short_names=("pv",), subresources=_STATUS
    ),
    ResourceType(
        "",
        "v1",
        "Pod",
        "pods",
        short_names=("po",),
        categories=("all",),
        subresources=(
            "attach",
            "binding",
            "ephemeralcontainers",
            "eviction",
            "exec",
            "log",
            "portforward",
            "resize",
            "status",
        ),
    ),
    ResourceType("", "v1", "PodTemplate", "podtemplates"),
    ResourceType(
        "",
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        short_names=("rc",),
        categories=("all",),
        subresources=_SCALED,
        storage_prefix="controllers",
    ),
    ResourceType("", "v1", "ResourceQuota", "resourcequotas", short_names=("quota",), subresources=_STATUS),
    ResourceType("", "v1", "Secret", "secrets"),
    ResourceType("", "v1", "ServiceAccount", "serviceaccounts", short_names=("sa",), subresources=("token",)),
    ResourceType(
        "",
        "v1",
        "Service",
        "services",
        short_names=("svc",),
        categories=("all",),
        subresources=_STATUS,
        storage_prefix="services/specs",
    ),
    ResourceType("apps", "v1", "ControllerRevision", "controllerrevisions"),
    ResourceType(
        "apps", "v1", "DaemonSet", "daemonsets", short_names=("ds",), categories=("all",), subresources=_STATUS
    ),
    ResourceType(
        "apps", "v1", "Deployment", "deployments", short_names=("deploy",), categories=("all",), subresources=_SCALED
    ),
    ResourceType(
        "apps", "v1", "ReplicaSet", "replicasets", short_names=("rs",), categories=("all",), subresources=_SCALED
    ),
    ResourceType(
        "apps", "v1", "StatefulSet", "statefulsets", short_names=("sts",), categories=("all",), subresources=_SCALED
    ),
    ResourceType("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", False, verbs=REVIEW_VERBS),
    ResourceType("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", False, verbs=REVIEW_VERBS),
    ResourceType(
        "authorization.k8s.io", "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", verbs=REVIEW_VERBS
    ),
    ResourceType(
        "authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False, verbs=REVIEW_VERBS
    ),
    ResourceType(
        "authorization.k8s.io", "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", False, verbs=REVIEW_VERBS
    ),
    ResourceType(
        "authorization.k8s.io", "v1", "SubjectAccessReview", "subjectaccessreviews", False, verbs=REVIEW_VERBS
    ),
    ResourceType(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        short_names=("hpa",),
        categories=("all",),
        subresources=_STATUS,
    ),
    ResourceType("batch", "v1", "CronJob", "cronjobs", short_names=("cj",), categories=("all",), subresources=_STATUS),
    ResourceType("batch", "v1", "Job", "jobs", categories=("all",), subresources=_STATUS),
    ResourceType("coordination.k8s.io", "v1", "Lease", "leases"),
    ResourceType("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    ResourceType("events.k8s.io", "v1", "Event", "events", short_names=("ev",)),
    ResourceType("networking.k8s.io", "v1", "IngressClass", "ingressclasses", namespaced=False),
    ResourceType("networking.k8s.io", "v1", "Ingress", "ingresses", short_names=("ing",), subresources=_STATUS),
    ResourceType("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", short_names=("netpol",)),
    ResourceType(
        "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short_names=("pdb",), subresources=_STATUS
    ),
    ResourceType("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    ResourceType("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False),
    ResourceType("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
    ResourceType("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    ResourceType("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False, short_names=("pc",)),
    ResourceType("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False, short_names=("sc",)),
)

#: Older versions of kinds of the table: other words for the same objects, which only clients have a use for.
OLD_HORIZONTALPODAUTOSCALERS = ResourceType(
    "autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", short_names=("hpa",),
    categories=("all",), subresources=_STATUS,
)  # fmt: skip
OLD_VERSIONS: tuple[ResourceType, ...] = (OLD_HORIZONTALPODAUTOSCALERS,)
#: All that discovery tells of; of a kind with several versions the preferred one comes first.
SERVED: tuple[ResourceType, ...] = (*RESOURCES, *OLD_VERSIONS)

BY_PLURAL: dict[tuple[str, str], ResourceType] = {(row.group, row.plural): row for row in RESOURCES}
BY_KIND: dict[tuple[str, str], ResourceType] = {(row.api_version, row.kind): row for row in SERVED}
BY_ROUTE: dict[tuple[str, str, str], ResourceType] = {(row.group, row.version, row.plural): row for row in SERVED}

#: Resources of v1.36 that are not served: asking for one is answered with 501, not 404.
NOT_SERVED: dict[tuple[str, str], tuple[str, ...]] = {
    ("admissionregistration.k8s.io", "v1"): (
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "validatingwebhookconfigurations",
    ),
    ("apiextensions.k8s.io", "v1"): ("customresourcedefinitions",),
    ("apiregistration.k8s.io", "v1"): ("apiservices",),
    ("certificates.k8s.io", "v1"): ("certificatesigningrequests",),
    ("flowcontrol.apiserver.k8s.io", "v1"): ("flowschemas", "prioritylevelconfigurations"),
    ("networking.k8s.io", "v1"): ("ipaddresses", "servicecidrs"),
    ("node.k8s.io", "v1"): ("runtimeclasses",),
    ("resource.k8s.io", "v1"): ("deviceclasses", "resourceclaims", "resourceclaimtemplates", "resourceslices"),
    ("storage.k8s.io", "v1"): (
        "csidrivers",
        "csinodes",
        "csistoragecapacities",
        "volumeattachments",
        "volumeattributesclasses",
    ),
}

#: Subresources of v1.36 that are not served, by the plural of their kind: 501, not 404.
SUBRESOURCES_NOT_SERVED: dict[str, tuple[str, ...]] = {
    "nodes": ("proxy",),
    "pods": ("proxy",),
    "services": ("proxy",),
}

_VERBS_OF_SUBRESOURCES = {
    "attach": ("create", "get"),
    "binding": ("create",),
    "eviction": ("create",),
    "exec": ("create", "get"),
    "finalize": ("update",),
    "log": ("get",),
    "portforward": ("create", "get"),
    "token": ("create",),
}


def subresource_verbs(name: str) -> tuple[str, ...]:
    """The verbs of a subresource; those that are a part of their object are read and changed."""
    return _VERBS_OF_SUBRESOURCES.get(name, ("get", "patch", "update"))


def resource(plural: str, group: str = "") -> ResourceType:
    """The row of a plural name and group; ``KeyError`` when it is not served."""
    return BY_PLURAL[group, plural]


def resource_of(obj: dict[str, object]) -> ResourceType:
    """The row of an object by its ``apiVersion`` and ``kind``; ``KeyError`` when it is not served."""
    return BY_KIND[str(obj.get("apiVersion")), str(obj.get("kind"))]


PODS = resource("pods")
NODES = resource("nodes")
NAMESPACES = resource("namespaces")
SERVICES = resource("services")
ENDPOINTS = resource("endpoints")
ENDPOINTSLICES = resource("endpointslices", "discovery.k8s.io")
EVENTS = resource("events")
CONFIGMAPS = resource("configmaps")
COMPONENTSTATUSES = resource("componentstatuses")
SECRETS = resource("secrets")
SERVICEACCOUNTS = resource("serviceaccounts")
RESOURCEQUOTAS = resource("resourcequotas")
LIMITRANGES = resource("limitranges")
REPLICATIONCONTROLLERS = resource("replicationcontrollers")
DEPLOYMENTS = resource("deployments", "apps")
REPLICASETS = resource("replicasets", "apps")
STATEFULSETS = resource("statefulsets", "apps")
DAEMONSETS = resource("daemonsets", "apps")
CONTROLLERREVISIONS = resource("controllerrevisions", "apps")
JOBS = resource("jobs", "batch")
CRONJOBS = resource("cronjobs", "batch")
HORIZONTALPODAUTOSCALERS = resource("horizontalpodautoscalers", "autoscaling")
LEASES = resource("leases", "coordination.k8s.io")
PODDISRUPTIONBUDGETS = resource("poddisruptionbudgets", "policy")
PRIORITYCLASSES = resource("priorityclasses", "scheduling.k8s.io")
PERSISTENTVOLUMECLAIMS = resource("persistentvolumeclaims")
PERSISTENTVOLUMES = resource("persistentvolumes")
NETWORKPOLICIES = resource("networkpolicies", "networking.k8s.io")
