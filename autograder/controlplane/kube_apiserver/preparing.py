"""What the server itself decides of an object, whatever the client sent: status on create, spec on a status update.

``prepare_for_create`` and ``prepare_for_update`` change the new object in place before it is validated, and only read
the old one, as ``PrepareForCreate`` and ``PrepareForUpdate`` of pkg/registry/<group>/<kind>/strategy.go do. What most
kinds need is in tables; what one kind needs is a function, listed in ``CREATE``, ``UPDATE`` or ``STATUS_UPDATE``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autograder.controlplane.apimachinery.qos import qos_class
from autograder.controlplane.kube_apiserver import apparmor
from autograder.controlplane.kube_apiserver.defaulting import namespaces
from autograder.controlplane.kube_apiserver.disabled_fields import drop_disabled_fields
from autograder.controlplane.kube_apiserver.registry.service_fields import drop_foreign_fields

Obj = dict[str, Any]

#: Kinds whose ``status`` is written through its own subresource only, with the status of a new object.
FRESH_STATUS: Final[dict[str, Callable[[], Obj]]] = {
    "apps/v1.DaemonSet": lambda: {
        "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
    },
    "apps/v1.Deployment": dict,
    "apps/v1.ReplicaSet": lambda: {"replicas": 0},
    "apps/v1.StatefulSet": lambda: {"replicas": 0, "availableReplicas": 0},
    "autoscaling/v2.HorizontalPodAutoscaler": lambda: {"currentMetrics": None, "desiredReplicas": 0},
    "batch/v1.CronJob": dict,
    "batch/v1.Job": dict,
    "core/v1.Namespace": lambda: {"phase": "Active"},
    "core/v1.PersistentVolume": lambda: {"phase": "Pending"},
    "core/v1.PersistentVolumeClaim": lambda: {"phase": "Pending"},
    "core/v1.Pod": lambda: {"phase": "Pending"},
    "core/v1.ReplicationController": lambda: {"replicas": 0},
    "core/v1.ResourceQuota": dict,
    "core/v1.Service": lambda: {"loadBalancer": {}},
    "networking/v1.Ingress": lambda: {"loadBalancer": {}},
    "policy/v1.PodDisruptionBudget": lambda: {
        "disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0,
    },
}  # fmt: skip

#: The one field of a new object's status that a client may give all the same.
GIVEN_STATUS: Final = {"core/v1.Pod": "qosClass"}

#: Kinds that have a status of their own to keep on updates, although clients may give one to a new object.
KEEPS_STATUS: Final = FRESH_STATUS.keys() | {"core/v1.Node"}


def _spec_changed(new: Obj, old: Obj) -> bool:
    return bool(new.get("spec") != old.get("spec"))


def _spec_or_annotations_changed(new: Obj, old: Obj) -> bool:
    annotations = (one["metadata"].get("annotations", {}) for one in (new, old))
    return _spec_changed(new, old) or next(annotations) != next(annotations)


def _endpoints_or_labels_changed(new: Obj, old: Obj) -> bool:
    labels = (one["metadata"].get("labels", {}) for one in (new, old))
    return next(labels) != next(labels) or any(new.get(part) != old.get(part) for part in ("endpoints", "ports"))


#: Kinds that count their changes in ``metadata.generation``, with what counts as one.
COUNTED_CHANGE: Final[dict[str, Callable[[Obj, Obj], bool]]] = {
    "apps/v1.DaemonSet": _spec_changed,
    "apps/v1.Deployment": _spec_or_annotations_changed,
    "apps/v1.ReplicaSet": _spec_changed,
    "apps/v1.StatefulSet": _spec_changed,
    "batch/v1.CronJob": _spec_changed,
    "batch/v1.Job": _spec_changed,
    "core/v1.Pod": _spec_changed,
    "core/v1.PodTemplate": lambda new, old: bool(new.get("template") != old.get("template")),
    "core/v1.ReplicationController": _spec_changed,
    "discovery/v1.EndpointSlice": _endpoints_or_labels_changed,
    "networking/v1.Ingress": _spec_changed,
    "networking/v1.IngressClass": _spec_changed,
    "networking/v1.NetworkPolicy": _spec_changed,
    "policy/v1.PodDisruptionBudget": _spec_changed,
    "scheduling/v1.PriorityClass": lambda new, old: False,
}


def prepare_for_create(type_name: str, obj: Obj) -> None:
    """Drop what a client may not set on a new object and fill in what the server does."""
    drop_disabled_fields(type_name, obj)
    if status := FRESH_STATUS.get(type_name):
        given, obj["status"] = obj.get("status"), status()
        if kept := GIVEN_STATUS.get(type_name):
            obj["status"] |= {kept: given[kept]} if given and given.get(kept) else {}
    if type_name in COUNTED_CHANGE:
        obj["metadata"]["generation"] = 1
    if prepare := CREATE.get(type_name):
        prepare(obj)


def prepare_for_update(type_name: str, new: Obj, old: Obj, subresource: str = "") -> None:
    """Keep of the old object what this (sub)resource does not change, and count the change."""
    if subresource == "binding":
        return
    if subresource == "status":
        if "spec" in old:
            new["spec"] = old["spec"]
        if prepare := STATUS_UPDATE.get(type_name):
            prepare(new, old)
        return
    if keep := PARTS.get(subresource):
        keep(new, old)
        _count_change(type_name, new, old)
        return
    if type_name in KEEPS_STATUS and "status" in old:
        new["status"] = old["status"]
    if subresource == "finalize":
        return
    drop_disabled_fields(type_name, new)
    if prepare := UPDATE.get(type_name):
        prepare(new, old)
    _count_change(type_name, new, old)


def _count_change(type_name: str, new: Obj, old: Obj) -> None:
    changed = COUNTED_CHANGE.get(type_name)
    if changed and changed(new, old):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def finish(type_name: str, obj: Obj) -> None:
    """Set the defaults that follow from what the server decided; for a valid object, before it is stored."""
    if finisher := FINISH.get(type_name):
        finisher(obj)


# ---------------------------------------------------------------- workloads

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
JOB_NAME_LABELS = ("job-name", "batch.kubernetes.io/job-name")
JOB_UID_LABELS = ("controller-uid", "batch.kubernetes.io/controller-uid")


def _create_pod(pod: Obj) -> None:
    pod["status"].setdefault("qosClass", qos_class(pod["spec"]))
    if pod["spec"].get("schedulingGates"):
        gated = "Scheduling is blocked due to non-empty scheduling gates"
        condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": gated}
        pod["status"]["conditions"] = [{**condition, "lastProbeTime": None, "lastTransitionTime": _created(pod)}]
    labels = pod["metadata"].get("labels", {})
    for constraint in pod["spec"].get("topologySpreadConstraints", ()):
        _select_label_keys(constraint, "matchLabelKeys", "In", labels)
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = pod["spec"].get("affinity", {}).get(kind, {})
        preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution", ())
        required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", ())
        for term in (*(one["podAffinityTerm"] for one in preferred), *required):
            _select_label_keys(term, "matchLabelKeys", "In", labels)
            _select_label_keys(term, "mismatchLabelKeys", "NotIn", labels)
    apparmor.move_annotations_to_fields(pod)


def _select_label_keys(term: Obj, keys: str, operator: str, labels: dict[str, str]) -> None:
    """Add the pod's own values of some labels to a selector of other pods."""
    selector = term.get("labelSelector")
    if selector is not None:
        present = [key for key in term.get(keys, ()) if key in labels]
        own = [{"key": key, "operator": operator, "values": [labels[key]]} for key in present]
        if own:
            selector["matchExpressions"] = [*selector.get("matchExpressions", ()), *own]


def _created(obj: Obj) -> Any:
    return obj["metadata"].get("creationTimestamp")


def _update_pod_status(new: Obj, old: Obj) -> None:
    metadata, before = new["metadata"], old["metadata"]
    for name in ("deletionTimestamp", "ownerReferences"):
        metadata.pop(name, None)
        if name in before:
            metadata[name] = before[name]
    status = new.setdefault("status", {})
    if not status.get("qosClass") and "qosClass" in old.get("status", {}):
        status["qosClass"] = old["status"]["qosClass"]


#: Metadata that is not written through a part of an object.
_OF_THE_WHOLE = ("labels", "annotations", "finalizers", "ownerReferences")


def _only_ephemeral_containers(new: Obj, old: Obj) -> None:
    """``/ephemeralcontainers`` writes these and nothing else."""
    added = new["spec"].get("ephemeralContainers")
    new["spec"] = {name: value for name, value in old["spec"].items() if name != "ephemeralContainers"}
    if added:
        new["spec"]["ephemeralContainers"] = added
    _keep_beside_spec(new, old)


def _only_resources(new: Obj, old: Obj) -> None:
    """``/resize`` writes resources and resize policies; other containers than before are validation's to refuse."""
    spec, before = new["spec"], old["spec"]
    if any(len(spec.get(kind) or ()) != len(before.get(kind) or ()) for kind in ("containers", "initContainers")):
        return
    resized = {kind: _resized(spec[kind], before[kind]) for kind in ("containers", "initContainers") if spec.get(kind)}
    whole = {"resources": spec["resources"]} if "resources" in spec else {}
    new["spec"] = {name: value for name, value in before.items() if name != "resources"} | whole | resized
    _keep_beside_spec(new, old)


def _resized(containers: list[Obj], before: list[Obj]) -> list[Obj]:
    if [one["name"] for one in containers] != [one["name"] for one in before]:
        return containers
    parts = ("resources", "resizePolicy")
    return [
        {**was, **{name: container[name] for name in parts if name in container}}
        for container, was in zip(containers, before, strict=True)
    ]


def _keep_beside_spec(new: Obj, old: Obj) -> None:
    new["status"] = old["status"]
    for name in _OF_THE_WHOLE:
        new["metadata"].pop(name, None)
        if name in old["metadata"]:
            new["metadata"][name] = old["metadata"][name]


def _update_deployment_status(new: Obj, old: Obj) -> None:
    new["metadata"].pop("labels", None)
    if "labels" in old["metadata"]:
        new["metadata"]["labels"] = old["metadata"]["labels"]


def _create_daemon_set(daemon_set: Obj) -> None:
    annotations = daemon_set["metadata"].setdefault("annotations", {})
    if not annotations.get(TEMPLATE_GENERATION, "").isdigit() or int(annotations[TEMPLATE_GENERATION]) < 1:
        annotations[TEMPLATE_GENERATION] = "1"


def _update_daemon_set(new: Obj, old: Obj) -> None:
    generation = int(old["metadata"].get("annotations", {}).get(TEMPLATE_GENERATION, "0"))
    changed = new["spec"].get("template") != old["spec"].get("template")
    annotations = new["metadata"].get("annotations", {})
    new["metadata"]["annotations"] = {**annotations, TEMPLATE_GENERATION: str(generation + changed)}


def _create_job(job: Obj) -> None:
    """Unless the client manages the selector itself, pods are found by the job's uid."""
    spec, metadata = job["spec"], job["metadata"]
    if spec.get("manualSelector"):
        return
    own = {name: metadata.get("name", "") for name in JOB_NAME_LABELS} | {
        name: metadata.get("uid", "") for name in JOB_UID_LABELS
    }
    template = spec.setdefault("template", {}).setdefault("metadata", {})
    given = template.get("labels", {})
    template["labels"] = dict(sorted({**own, **given}.items()))
    if given and metadata.get("labels") is given:  # defaulted: the job's labels are those of its template
        metadata["labels"] = template["labels"]
    selector = spec.setdefault("selector", {})
    found = {JOB_UID_LABELS[1]: metadata.get("uid", ""), **selector.get("matchLabels", {})}
    selector["matchLabels"] = dict(sorted(found.items()))


def _finish_job(job: Obj) -> None:
    """A job without labels has those of its pods."""
    labels = job["spec"].get("template", {}).get("metadata", {}).get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = dict(labels)


# ---------------------------------------------------------------- cluster and storage


def _create_namespace(namespace: Obj) -> None:
    finalizers = namespace.setdefault("spec", {}).setdefault("finalizers", [])
    if "kubernetes" not in finalizers:
        finalizers.append("kubernetes")


def _finish_namespace(namespace: Obj) -> None:
    """Names that the server made up are known now."""
    namespaces.default_namespace(namespace)


def _update_namespace(new: Obj, old: Obj) -> None:
    new["spec"] = dict(old.get("spec", {}))


def _name_limit_range(limit_range: Obj) -> None:
    """A LimitRange without a name gets one that nobody could have meant."""
    metadata = limit_range["metadata"]
    if not metadata.get("name"):
        metadata["name"] = metadata.get("uid", "")


def _drop_config_source(node: Obj) -> None:
    node.get("spec", {}).pop("configSource", None)
    node.get("status", {}).pop("config", None)


def _update_node(new: Obj, old: Obj) -> None:
    if "configSource" not in old.get("spec", {}):
        new.get("spec", {}).pop("configSource", None)


def _create_persistent_volume(volume: Obj) -> None:
    volume["status"]["lastPhaseTransitionTime"] = _created(volume)


def _create_claim(claim: Obj) -> None:
    _complete_data_source(claim["spec"], keep_any=False)


def _update_claim(new: Obj, old: Obj) -> None:
    in_use = any(name in old["spec"] for name in ("dataSource", "dataSourceRef"))
    _complete_data_source(new["spec"], keep_any=in_use)


def _complete_data_source(spec: Obj, *, keep_any: bool) -> None:
    """Old clients fill ``dataSource`` (a claim or snapshot), new ones ``dataSourceRef``; each implies the other."""
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and not reference and not keep_any and not _is_claim_or_snapshot(source):
        del spec["dataSource"]
        return
    if source and not reference:
        spec["dataSourceRef"] = dict(source)
    elif reference and not source and not reference.get("namespace"):
        spec["dataSource"] = {name: value for name, value in reference.items() if name != "namespace"}


def _is_claim_or_snapshot(source: Obj) -> bool:
    kind, group = source.get("kind"), source.get("apiGroup", "")
    return (kind, group) in (("PersistentVolumeClaim", ""), ("VolumeSnapshot", "snapshot.storage.k8s.io"))


# ---------------------------------------------------------------- configuration, services and leases


def _clean_secret_references(account: Obj) -> None:
    if account.get("secrets"):
        account["secrets"] = [{"name": one["name"]} if one.get("name") else {} for one in account["secrets"]]


def _create_endpoint_slice(endpoint_slice: Obj) -> None:
    """The topology of older versions is not written any more."""
    for endpoint in endpoint_slice.get("endpoints") or ():
        endpoint.pop("deprecatedTopology", None)


def _update_endpoint_slice(new: Obj, old: Obj) -> None:
    if new.get("endpoints") != old.get("endpoints"):
        _create_endpoint_slice(new)


def _create_lease(lease: Obj) -> None:
    """Coordinated leader election is off by default."""
    for name in ("strategy", "preferredHolder"):
        lease.get("spec", {}).pop(name, None)


def _update_lease(new: Obj, old: Obj) -> None:
    for name in ("strategy", "preferredHolder"):
        if name not in old.get("spec", {}):
            new.get("spec", {}).pop(name, None)


def _finish_service(service: Obj) -> None:
    """A name of something outside has no traffic policy."""
    if service["spec"].get("type") == "ExternalName":
        service["spec"].pop("internalTrafficPolicy", None)


#: What one kind needs of a new object besides.
CREATE: Final[dict[str, Callable[[Obj], None]]] = {
    "apps/v1.DaemonSet": _create_daemon_set,
    "batch/v1.Job": _create_job,
    "coordination/v1.Lease": _create_lease,
    "core/v1.LimitRange": _name_limit_range,
    "core/v1.Namespace": _create_namespace,
    "core/v1.Node": _drop_config_source,
    "core/v1.PersistentVolume": _create_persistent_volume,
    "core/v1.PersistentVolumeClaim": _create_claim,
    "core/v1.Pod": _create_pod,
    "core/v1.ServiceAccount": _clean_secret_references,
    "discovery/v1.EndpointSlice": _create_endpoint_slice,
}

#: What one kind gets once it is found valid.
FINISH: Final[dict[str, Callable[[Obj], None]]] = {
    "batch/v1.Job": _finish_job,
    "core/v1.Namespace": _finish_namespace,
    "core/v1.Service": _finish_service,
}

#: What one kind needs of a changed object besides, given the new and the old one.
UPDATE: Final[dict[str, Callable[[Obj, Obj], None]]] = {
    "apps/v1.DaemonSet": _update_daemon_set,
    "coordination/v1.Lease": _update_lease,
    "core/v1.Namespace": _update_namespace,
    "core/v1.Node": _update_node,
    "core/v1.PersistentVolumeClaim": _update_claim,
    "core/v1.Service": drop_foreign_fields,
    "core/v1.ServiceAccount": lambda new, old: _clean_secret_references(new),
    "discovery/v1.EndpointSlice": _update_endpoint_slice,
}

#: Subresources that are one part of an object's spec: what puts all else back as it was.
PARTS: Final[dict[str, Callable[[Obj, Obj], None]]] = {
    "ephemeralcontainers": _only_ephemeral_containers,
    "resize": _only_resources,
}

#: What one kind needs of a changed status besides, given the new and the old object.
STATUS_UPDATE: Final[dict[str, Callable[[Obj, Obj], None]]] = {
    "apps/v1.Deployment": _update_deployment_status,
    "core/v1.Pod": _update_pod_status,
}
