"""What the server itself decides of an object, whatever the client sent: status on create, spec on a status update.

``prepare_for_create`` and ``prepare_for_update`` change the new object in place before it is validated, and only read
the old one, as ``PrepareForCreate`` and ``PrepareForUpdate`` of pkg/registry/<group>/<kind>/strategy.go do. What most
kinds need is in tables (``status``, ``generations``); what one kind needs is a function, listed in ``CREATE``,
``UPDATE`` or ``STATUS_UPDATE``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autograder.controlplane.kube_apiserver.defaulting.apps import TEMPLATE_GENERATION
from autograder.controlplane.kube_apiserver.disabled_fields import drop_disabled_fields
from autograder.controlplane.kube_apiserver.preparing import cluster, networking, pods, storage, workloads
from autograder.controlplane.kube_apiserver.preparing.generations import COUNTED_CHANGE, count_change
from autograder.controlplane.kube_apiserver.preparing.service_fields import drop_foreign_fields
from autograder.controlplane.kube_apiserver.preparing.status import FRESH_STATUS, GIVEN_STATUS, KEEPS_STATUS

__all__ = ["TEMPLATE_GENERATION", "finish", "prepare_for_create", "prepare_for_update"]

Obj = dict[str, Any]

#: What one kind needs of a new object besides.
CREATE: Final[dict[str, Callable[[Obj], None]]] = {
    "apps/v1.DaemonSet": workloads.create_daemon_set,
    "batch/v1.Job": workloads.create_job,
    "coordination/v1.Lease": cluster.create_lease,
    "core/v1.LimitRange": cluster.name_limit_range,
    "core/v1.Namespace": cluster.create_namespace,
    "core/v1.Node": cluster.drop_config_source,
    "core/v1.PersistentVolume": storage.create_persistent_volume,
    "core/v1.PersistentVolumeClaim": storage.create_claim,
    "core/v1.Pod": pods.create_pod,
    "core/v1.ServiceAccount": cluster.clean_secret_references,
    "discovery/v1.EndpointSlice": networking.create_endpoint_slice,
}

#: What one kind gets once it is found valid.
FINISH: Final[dict[str, Callable[[Obj], None]]] = {
    "batch/v1.Job": workloads.finish_job,
    "core/v1.Namespace": cluster.finish_namespace,
    "core/v1.Service": networking.finish_service,
}

#: What one kind needs of a changed object besides, given the new and the old one.
UPDATE: Final[dict[str, Callable[[Obj, Obj], None]]] = {
    "apps/v1.DaemonSet": workloads.update_daemon_set,
    "coordination/v1.Lease": cluster.update_lease,
    "core/v1.Namespace": cluster.update_namespace,
    "core/v1.Node": cluster.update_node,
    "core/v1.PersistentVolumeClaim": storage.update_claim,
    "core/v1.Service": drop_foreign_fields,
    "core/v1.ServiceAccount": lambda new, old: cluster.clean_secret_references(new),
    "discovery/v1.EndpointSlice": networking.update_endpoint_slice,
}

#: Subresources that are one part of an object's spec: what puts all else back as it was.
PARTS: Final[dict[str, Callable[[Obj, Obj], None]]] = {
    "ephemeralcontainers": pods.only_ephemeral_containers,
    "resize": pods.only_resources,
}

#: What one kind needs of a changed status besides, given the new and the old object.
STATUS_UPDATE: Final[dict[str, Callable[[Obj, Obj], None]]] = {
    "apps/v1.DaemonSet": workloads.update_daemon_set_status,
    "apps/v1.Deployment": workloads.update_deployment_status,
    "core/v1.Pod": pods.update_pod_status,
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
        count_change(type_name, new, old)
        return
    if type_name in KEEPS_STATUS and "status" in old:
        new["status"] = old["status"]
    if subresource == "finalize":
        return
    drop_disabled_fields(type_name, new)
    if prepare := UPDATE.get(type_name):
        prepare(new, old)
    count_change(type_name, new, old)


def finish(type_name: str, obj: Obj) -> None:
    """Set the defaults that follow from what the server decided; for a valid object, before it is stored."""
    if finisher := FINISH.get(type_name):
        finisher(obj)
