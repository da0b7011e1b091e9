"""Rules for how the volumes of a pod appear in a container: as folders, or as devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from autograder.controlplane.apimachinery import field
from autograder.controlplane.apimachinery.field import FieldError, Path
from autograder.controlplane.kube_apiserver.validation.files import relative_path
from autograder.controlplane.kube_apiserver.validation.rules import one_of

Object = Mapping[str, Any]

PROPAGATIONS: Final = ("Bidirectional", "HostToContainer", "None")
RECURSIVE_MODES: Final = ("Disabled", "Enabled", "IfPossible")


def validate_mounts(
    mounts: list[Object], devices: list[Object], volumes: Mapping[str, Object], container: Object, path: Path
) -> Iterator[FieldError]:
    """The folders; some errors name the list and not its entry."""
    device_names, device_paths = {one["name"] for one in devices}, {one["devicePath"] for one in devices}
    taken: set[str] = set()
    for position, mount in enumerate(mounts):
        at, name, target = path.index(position), mount["name"], mount["mountPath"]
        if not name:
            yield field.required(at.child("name"))
        if name not in volumes:
            yield field.not_found(at.child("name"), name)
        if not target:
            yield field.required(at.child("mountPath"))
        if target in taken:
            yield field.invalid(at.child("mountPath"), target, "must be unique")
        taken.add(target)
        if name in device_names:
            yield field.invalid(at.child("name"), name, "must not already exist in volumeDevices")
        if target in device_paths:
            yield field.invalid(at.child("mountPath"), target, "must not already exist as a path in volumeDevices")
        if sub_path := mount.get("subPath"):
            yield from relative_path(sub_path, path.child("subPath"))
        if expression := mount.get("subPathExpr"):
            if sub_path:
                why = "subPathExpr and subPath are mutually exclusive"
                yield field.invalid(at.child("subPathExpr"), expression, why)
            yield from relative_path(expression, path.child("subPathExpr"))
        yield from _propagation(mount, container, path.child("mountPropagation"))
        yield from _recursive(mount, path.child("recursiveReadOnly"))


def _propagation(mount: Object, container: Object, path: Path) -> Iterator[FieldError]:
    mode = mount.get("mountPropagation")
    if mode is None:
        return
    yield from one_of(mode, path, PROPAGATIONS)
    if mode == "Bidirectional" and not container.get("securityContext", {}).get("privileged"):
        why = "Bidirectional mount propagation is available only to privileged containers"
        yield field.forbidden(path, why)


def _recursive(mount: Object, path: Path) -> Iterator[FieldError]:
    mode = mount.get("recursiveReadOnly")
    if mode in ("Enabled", "IfPossible"):
        if not mount.get("readOnly"):
            yield field.forbidden(path, "may only be specified when readOnly is true")
        if mount.get("mountPropagation") not in (None, "None"):
            yield field.forbidden(path, "may only be specified when mountPropagation is None or not specified")
    elif mode is not None:
        yield from one_of(mode, path, RECURSIVE_MODES)


def validate_devices(
    devices: list[Object], mounts: list[Object], volumes: Mapping[str, Object], path: Path
) -> Iterator[FieldError]:
    """The devices."""
    mount_names, mount_paths = {one["name"] for one in mounts}, {one["mountPath"] for one in mounts}
    names: set[str] = set()
    paths: set[str] = set()
    for position, device in enumerate(devices):
        at, name, target = path.index(position), device["name"], device["devicePath"]
        if not name:
            yield field.required(at.child("name"))
        if name in names:
            yield field.invalid(at.child("name"), name, "must be unique")
        if name not in volumes:
            yield field.not_found(at.child("name"), name)
        elif volumes[name].keys().isdisjoint(("persistentVolumeClaim", "ephemeral")):
            why = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            yield field.invalid(at.child("name"), name, why)
        if not target:
            yield field.required(at.child("devicePath"))
        if target in paths:
            yield field.invalid(at.child("devicePath"), target, "must be unique")
        if ".." in target.split("/"):
            yield field.invalid(at.child("devicePath"), target, "can not contain backsteps ('..')")
        else:
            paths.add(target)
        if name in mount_names:
            yield field.invalid(at.child("name"), name, "must not already exist in volumeMounts")
        if target in mount_paths:
            yield field.invalid(at.child("devicePath"), target, "must not already exist as a path in volumeMounts")
        if name:
            names.add(name)
