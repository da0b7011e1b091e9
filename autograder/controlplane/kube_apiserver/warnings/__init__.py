"""What clients are warned of in an object that is accepted all the same: what is deprecated, ignored or ambiguous.

The warnings of each kind are those of ``WarningsOnCreate`` and ``WarningsOnUpdate`` of
pkg/registry/<group>/<kind>/strategy.go, and come in their order. ``recorded`` says which of a request's go out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from autograder.controlplane.kube_apiserver.warnings import configuration, networking, pods, storage, workloads

Object = dict[str, Any]
Create = Callable[[Object], Iterator[str]]
Update = Callable[[Object, Object], Iterator[str]]

#: Characters of all warnings of an answer; where there are more, each is cut to ``ITEM_LIMIT``.
TOTAL_LIMIT: Final = 4096
ITEM_LIMIT: Final = 256

CREATE: Final[dict[str, Create]] = {
    "apps/v1.DaemonSet": workloads.of_new_daemon_set,
    "apps/v1.Deployment": workloads.of_new_workload,
    "apps/v1.ReplicaSet": workloads.of_new_workload,
    "apps/v1.StatefulSet": workloads.of_new_stateful_set,
    "batch/v1.CronJob": workloads.of_new_cron_job,
    "batch/v1.Job": workloads.of_new_job,
    "core/v1.Endpoints": networking.of_endpoints,
    "core/v1.Node": configuration.of_node,
    "core/v1.PersistentVolume": storage.of_persistent_volume,
    "core/v1.PersistentVolumeClaim": storage.of_persistent_volume_claim,
    "core/v1.Pod": pods.of_new_pod,
    "core/v1.PodTemplate": workloads.of_new_pod_template,
    "core/v1.ReplicationController": workloads.of_new_workload,
    "core/v1.ResourceQuota": configuration.of_new_resource_quota,
    "core/v1.Secret": configuration.of_secret,
    "core/v1.Service": networking.of_service,
    "core/v1.ServiceAccount": configuration.of_new_service_account,
    "discovery/v1.EndpointSlice": networking.of_new_endpoint_slice,
    "networking/v1.Ingress": networking.of_new_ingress,
    "networking/v1.NetworkPolicy": networking.of_network_policy,
    "storage/v1.StorageClass": storage.of_storage_class,
}

UPDATE: Final[dict[str, Update]] = {
    "apps/v1.DaemonSet": workloads.of_changed_daemon_set,
    "apps/v1.Deployment": workloads.of_changed_workload,
    "apps/v1.ReplicaSet": workloads.of_changed_workload,
    "apps/v1.StatefulSet": workloads.of_changed_stateful_set,
    "batch/v1.CronJob": workloads.of_changed_cron_job,
    "batch/v1.Job": workloads.of_changed_job,
    "core/v1.Endpoints": lambda new, old: networking.of_endpoints(new),
    "core/v1.Node": lambda new, old: configuration.of_node(new),
    "core/v1.PersistentVolume": lambda new, old: storage.of_persistent_volume(new),
    "core/v1.PersistentVolumeClaim": lambda new, old: storage.of_persistent_volume_claim(new),
    "core/v1.PodTemplate": workloads.of_changed_pod_template,
    "core/v1.ReplicationController": workloads.of_changed_replication_controller,
    "core/v1.Secret": lambda new, old: configuration.of_secret(new),
    "core/v1.Service": lambda new, old: networking.of_service(new),
    "core/v1.ServiceAccount": configuration.of_changed_service_account,
    "discovery/v1.EndpointSlice": lambda new, old: networking.of_endpoint_slice(new),
    "networking/v1.NetworkPolicy": lambda new, old: networking.of_network_policy(new),
    "storage/v1.StorageClass": lambda new, old: storage.of_storage_class(new),
}

STATUS: Final[dict[str, Create]] = {
    "core/v1.Pod": pods.of_status,
    "core/v1.Service": networking.of_load_balancer,
    "networking/v1.Ingress": networking.of_load_balancer,
}

#: Subresources that write a whole object; of all other parts than ``status`` nobody is warned.
_WHOLE: Final = ("", "scale")


def before_create(type_name: str, obj: Object) -> Iterator[str]:
    """What is said of a new object before the server completes it, and so even where it is then refused."""
    return pods.of_profiles(obj) if type_name == "core/v1.Pod" else iter(())


def on_create(type_name: str, obj: Object) -> Iterator[str]:
    """What is said of a new object that is valid."""
    warn = CREATE.get(type_name)
    return warn(obj) if warn else iter(())


def on_update(type_name: str, new: Object, old: Object, subresource: str = "") -> Iterator[str]:
    """What is said of a changed object that is valid."""
    if subresource in _WHOLE:
        warn = UPDATE.get(type_name)
        return warn(new, old) if warn else iter(())
    warn_of_status = STATUS.get(type_name) if subresource == "status" else None
    return warn_of_status(new) if warn_of_status else iter(())


def recorded(warnings: Iterable[str]) -> list[str]:
    """The warnings that go out with an answer: each once, cut where they are too long for headers together.

    One with control characters, which no header may have, is left out. Source: apiserver/pkg/endpoints/filters.
    """
    texts = [text for text in dict.fromkeys(warnings) if text and not any(map(_is_control, text))]
    if sum(map(len, texts)) <= TOTAL_LIMIT:
        return texts
    cut, written = [], 0
    for text in texts:
        if written >= TOTAL_LIMIT:
            break
        cut.append(text[:ITEM_LIMIT])
        written += len(cut[-1])
    return cut


def _is_control(char: str) -> bool:
    return unicodedata.category(char) == "Cc"
