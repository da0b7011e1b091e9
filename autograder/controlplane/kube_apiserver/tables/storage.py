"""The tables of volumes, claims and storage classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from autograder.controlplane.apimachinery.classes import is_default, storage_class_of
from autograder.controlplane.apimachinery.wire import Object
from autograder.controlplane.kube_apiserver.tables.printer import (
    AGE,
    NAME,
    UNSET,
    Column,
    Printer,
    age_of,
    name_of,
    quantity,
)

_MODES: Final = {
    "ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"
}  # fmt: skip


def _access_modes(modes: Iterable[str] | None) -> str:
    given = set(modes or ())
    return ",".join(short for mode, short in _MODES.items() if mode in given)


def _phase(obj: Object) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else (obj.get("status") or {}).get("phase", "")


def _or_unset(value: str | None) -> str:
    return UNSET if value is None else value


def _volume(obj: Object, now: int) -> list[Any]:
    spec = obj.get("spec") or {}
    claim = spec.get("claimRef")
    return [
        name_of(obj),
        quantity(spec.get("capacity"), "storage"),
        _access_modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        storage_class_of(obj),
        _or_unset(spec.get("volumeAttributesClassName")),
        (obj.get("status") or {}).get("reason", ""),
        age_of(obj, now),
        _or_unset(spec.get("volumeMode")),
    ]


def _claim(obj: Object, now: int) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    bound = spec.get("volumeName", "")
    return [
        name_of(obj),
        _phase(obj),
        bound,
        quantity(status.get("capacity"), "storage") if bound else "",
        _access_modes(status.get("accessModes")) if bound else "",
        storage_class_of(obj),
        _or_unset(spec.get("volumeAttributesClassName")),
        age_of(obj, now),
        _or_unset(spec.get("volumeMode")),
    ]


def _storage_class(obj: Object, now: int) -> list[Any]:
    return [
        name_of(obj) + (" (default)" if is_default(obj) else ""),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        bool(obj.get("allowVolumeExpansion")),
        age_of(obj, now),
    ]


PRINTERS: Final = {
    ("", "PersistentVolume"): Printer(
        (
            NAME,
            Column("Capacity", "core.v1.PersistentVolumeSpec.capacity"),
            Column("Access Modes", "core.v1.PersistentVolumeSpec.accessModes"),
            Column("Reclaim Policy", "core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy"),
            Column("Status", "core.v1.PersistentVolumeStatus.phase"),
            Column("Claim", "core.v1.PersistentVolumeSpec.claimRef"),
            Column("StorageClass", text="StorageClass of the pv"),
            Column("VolumeAttributesClass", text="VolumeAttributesClass of the pv"),
            Column("Reason", "core.v1.PersistentVolumeStatus.reason"),
            AGE,
            Column("VolumeMode", "core.v1.PersistentVolumeSpec.volumeMode", priority=1),
        ),
        _volume,
    ),
    ("", "PersistentVolumeClaim"): Printer(
        (
            NAME,
            Column("Status", "core.v1.PersistentVolumeClaimStatus.phase"),
            Column("Volume", "core.v1.PersistentVolumeClaimSpec.volumeName"),
            Column("Capacity", "core.v1.PersistentVolumeClaimStatus.capacity"),
            Column("Access Modes", "core.v1.PersistentVolumeClaimStatus.accessModes"),
            Column("StorageClass", text="StorageClass of the pvc"),
            Column("VolumeAttributesClass", text="VolumeAttributesClass of the pvc"),
            AGE,
            Column("VolumeMode", "core.v1.PersistentVolumeClaimSpec.volumeMode", priority=1),
        ),
        _claim,
    ),
    ("storage.k8s.io", "StorageClass"): Printer(
        (
            NAME,
            Column("Provisioner", "storage.v1.StorageClass.provisioner"),
            Column("ReclaimPolicy", "storage.v1.StorageClass.reclaimPolicy"),
            Column("VolumeBindingMode", "storage.v1.StorageClass.volumeBindingMode"),
            Column("AllowVolumeExpansion", "storage.v1.StorageClass.allowVolumeExpansion"),
            AGE,
        ),
        _storage_class,
    ),
}
