"""Which changes of an object count: each of them raises ``metadata.generation`` by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Obj = dict[str, Any]


def _spec_changed(new: Obj, old: Obj) -> bool:
    return bool(new.get("spec") != old.get("spec"))


def _metadata_changed(field: str, new: Obj, old: Obj) -> bool:
    return bool(new["metadata"].get(field, {}) != old["metadata"].get(field, {}))


def _spec_or_annotations_changed(new: Obj, old: Obj) -> bool:
    return _spec_changed(new, old) or _metadata_changed("annotations", new, old)


def _endpoints_or_labels_changed(new: Obj, old: Obj) -> bool:
    changed = any(new.get(part) != old.get(part) for part in ("endpoints", "ports"))
    return changed or _metadata_changed("labels", new, old)


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


def count_change(type_name: str, new: Obj, old: Obj) -> None:
    """Count an update, if it changes what counts."""
    changed = COUNTED_CHANGE.get(type_name)
    if changed and changed(new, old):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
