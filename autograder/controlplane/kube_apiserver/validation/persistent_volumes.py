"""The rules for PersistentVolumes and StorageClasses (pkg/apis/core/validation and pkg/apis/storage/validation).

Storage that pods can name too is checked by the same rules, local volumes and CSI by their own.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any, Final

from autograder.controlplane.apimachinery import quantity
from autograder.controlplane.apimachinery.emptied import as_given
from autograder.controlplane.apimachinery.field import (
    FieldError,
    Path,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from autograder.controlplane.kube_apiserver.validation import names, volumes
from autograder.controlplane.kube_apiserver.validation.differences import difference
from autograder.controlplane.kube_apiserver.validation.files import no_backsteps
from autograder.controlplane.kube_apiserver.validation.meta import (
    immutable,
    label_name,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.placement import validate_node_selector
from autograder.controlplane.kube_apiserver.validation.rules import (
    one_of,
    positive_quantity,
    required_name,
    required_one_of,
)
from autograder.controlplane.kube_apiserver.validation.storage import (
    VOLUME_MODES,
    validate_access_modes,
    validate_class_name,
)

RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
CLASS_RECLAIM_POLICIES = ("Delete", "Retain")
BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
#: Secrets of CSI drivers that must be named well; the one for staging is not looked at.
CSI_SECRETS = (
    "controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef",
)  # fmt: skip
MAX_PARAMETERS = 512
MAX_PARAMETERS_SIZE = 256 * 1024
#: The fields of a PersistentVolume that say where the storage is, in the order in which they are looked at.
VOLUME_SOURCES = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs",
    "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
    "azureDisk", "scaleIO", "local", "storageos", "csi",
)  # fmt: skip

_MOUNT_OPTIONS: Final = "volume.beta.kubernetes.io/mount-options"
#: Kinds of volumes that the annotation may stand on.
_MOUNTED_WITH_OPTIONS: Final = (
    "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "nfs", "rbd", "quobyte", "iscsi", "cinder", "cephfs",
    "azureFile", "vsphereVolume", "azureDisk", "photonPersistentDisk",
)  # fmt: skip
_SPEC = Path("spec")


def validate_persistent_volume(volume: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new PersistentVolume."""
    return [*_validate_volume(volume), *_validate_mount_options(volume)]


def _validate_volume(volume: dict[str, Any]) -> list[FieldError]:
    return [*validate_metadata(volume["metadata"], namespaced=False), *_validate_volume_spec(volume["spec"])]


def _validate_mount_options(volume: dict[str, Any]) -> Iterator[FieldError]:
    """Old clients annotate a volume with the options by which it is mounted; not every kind has any."""
    annotated = _MOUNT_OPTIONS in volume["metadata"].get("annotations", {})
    if annotated and not any(name in volume["spec"] for name in _MOUNTED_WITH_OPTIONS):
        path = Path("metadata").child("annotations").child(_MOUNT_OPTIONS)
        yield forbidden(path, "may not specify mount options for this volume type")


def validate_persistent_volume_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; the storage itself stays."""
    errors = [*validate_persistent_volume(new), *_validate_volume(new)]
    spec, old_spec = new["spec"], old["spec"]
    source, before = ({name: one[name] for name in VOLUME_SOURCES if name in one} for one in (spec, old_spec))
    if source != before:
        only = "spec.persistentvolumesource is immutable after creation"
        errors.append(forbidden(_SPEC.child("persistentvolumesource"), f"{only}\n{difference(before, source)}"))
    errors += immutable(spec.get("volumeMode"), old_spec.get("volumeMode"), Path("volumeMode"))
    if "nodeAffinity" in old_spec:
        errors += immutable(spec.get("nodeAffinity"), old_spec["nodeAffinity"], Path("nodeAffinity"))
    if "volumeAttributesClassName" in old_spec and "volumeAttributesClassName" not in spec:
        path = _SPEC.child("volumeAttributesClassName")
        errors.append(forbidden(path, "update from non-nil value to nil is forbidden"))
    return errors


def validate_persistent_volume_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new phase."""
    return list(validate_metadata_update(new["metadata"], old["metadata"]))


def _validate_volume_spec(spec: dict[str, Any]) -> Iterator[FieldError]:
    modes, capacity = spec.get("accessModes", []), spec.get("capacity", {})
    if not modes:
        yield required(_SPEC.child("accessModes"))
    yield from validate_access_modes(modes, _SPEC.child("accessModes"))
    if not capacity:
        yield required(_SPEC.child("capacity"))
    if set(capacity) != {"storage"}:
        yield not_supported(_SPEC.child("capacity"), capacity or as_given(spec, "capacity"), ("storage",))
    for name, amount in sorted(capacity.items()):
        yield from _storable_quantity(amount, _SPEC.child("capacity").key(name))
        yield from positive_quantity(amount, _SPEC.child("capacity").key(name))
    policy = spec.get("persistentVolumeReclaimPolicy", "")
    if policy:
        yield from one_of(policy, _SPEC.child("persistentVolumeReclaimPolicy"), RECLAIM_POLICIES)
    if "nodeAffinity" in spec:
        yield from _validate_node_affinity(spec["nodeAffinity"], _SPEC.child("nodeAffinity"))
    yield from _validate_sources(spec)
    if posixpath.normpath(spec.get("hostPath", {}).get("path", "")) == "/" and policy == "Recycle":
        path = _SPEC.child("persistentVolumeReclaimPolicy")
        yield forbidden(path, "may not be 'recycle' for a hostPath mount of '/'")
    yield from validate_class_name(spec.get("storageClassName", ""), _SPEC.child("storageClassName"))
    if "volumeMode" in spec:
        yield from one_of(spec["volumeMode"], _SPEC.child("volumeMode"), VOLUME_MODES)
    if "volumeAttributesClassName" in spec:
        yield from _validate_attributes_class(spec, _SPEC.child("volumeAttributesClassName"))


def _storable_quantity(amount: str, path: Path) -> Iterator[FieldError]:
    whole = quantity.parse(amount).value
    if whole < 0:
        yield invalid(path, whole, "must be a valid resource quantity")


def _validate_node_affinity(affinity: dict[str, Any], path: Path) -> Iterator[FieldError]:
    if affinity.get("required") is None:
        yield required(path.child("required"), "must specify required node constraints")
    else:
        yield from validate_node_selector(affinity["required"], path.child("required"))


def _validate_attributes_class(spec: dict[str, Any], path: Path) -> Iterator[FieldError]:
    name = spec["volumeAttributesClassName"]
    if name:
        yield from validate_class_name(name, path)
    else:
        yield required(path, "an empty string is disallowed")
    if "csi" not in spec:
        yield required(_SPEC.child("csi"), "has to be specified when using volumeAttributesClassName")


def _validate_sources(spec: dict[str, Any]) -> Iterator[FieldError]:
    sources = [name for name in VOLUME_SOURCES if name in spec]
    for index, name in enumerate(sources):
        path = _SPEC.child(name)
        if index:
            yield forbidden(path, "may not specify more than 1 volume type")
        else:
            yield from _validate_source(name, spec[name], path)
            if name == "local" and "nodeAffinity" not in spec:
                yield required(_SPEC.child("nodeAffinity"), "Local volume requires node affinity")
    if not sources:
        yield required(_SPEC, "must specify a volume type")


def _validate_source(name: str, source: dict[str, Any], path: Path) -> Iterator[FieldError]:
    if name == "local":
        here, location = path.child("path"), source["path"]
        yield from no_backsteps(location, here) if location else [required(here)]
    elif name == "csi":
        yield from volumes.csi_driver_name(source["driver"], path.child("driver"))
        if not source["volumeHandle"]:
            yield required(path.child("volumeHandle"))
        for reference in CSI_SECRETS:
            if reference in source:
                yield from _validate_secret_reference(source[reference], path.child(reference))
    elif name == "cinder":
        yield from volumes.SOURCES[name](source, path)
        if "secretRef" in source and not source["secretRef"].get("namespace"):
            yield required(path.child("secretRef").child("namespace"))
    elif name == "azureFile":
        yield from volumes.SOURCES[name](source, path)
        if source.get("secretNamespace") == "":
            yield required(path.child("secretNamespace"))
    elif name == "gcePersistentDisk":
        yield from volumes.SOURCES[name](source, _SPEC.child("persistentDisk"))
    else:
        yield from volumes.SOURCES[name](source, path)


def _validate_secret_reference(reference: dict[str, Any], path: Path) -> Iterator[FieldError]:
    yield from required_name(reference.get("name", ""), path.child("name"), names.dns_subdomain)
    yield from required_name(reference.get("namespace", ""), path.child("namespace"), names.dns_label)


# ---------------------------------------------------------------- classes


def validate_storage_class(storage_class: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new StorageClass."""
    return [*validate_metadata(storage_class["metadata"], namespaced=False), *_validate_class(storage_class)]


def validate_storage_class_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; what volumes are made of stays."""
    errors = [*validate_storage_class(new), *validate_metadata_update(new["metadata"], old["metadata"])]
    for name in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        errors += immutable(new.get(name), old.get(name), Path(name))
    return errors


def _validate_class(storage_class: dict[str, Any]) -> Iterator[FieldError]:
    provisioner, path = storage_class.get("provisioner", ""), Path("provisioner")
    if provisioner:
        yield from label_name(provisioner.lower(), path)
    else:
        yield required(path)
    yield from _validate_parameters(storage_class.get("parameters", {}), Path("parameters"))
    if storage_class.get("reclaimPolicy"):
        yield from one_of(storage_class["reclaimPolicy"], Path("reclaimPolicy"), CLASS_RECLAIM_POLICIES)
    yield from required_one_of(storage_class.get("volumeBindingMode", ""), Path("volumeBindingMode"), BINDING_MODES)
    yield from _validate_topologies(storage_class.get("allowedTopologies", []), Path("allowedTopologies"))


def _validate_topologies(terms: list[dict[str, Any]], path: Path) -> Iterator[FieldError]:
    # The list of a real server begins with an empty term for each term, so that empty terms are always duplicates.
    seen: list[dict[str, set[str]]] = [{} for _ in terms]
    for index, term in enumerate(terms):
        yield from _validate_topology(term, path.index(index))
        requirements = term.get("matchLabelExpressions", ())
        allowed = {requirement["key"]: set(requirement["values"] or ()) for requirement in requirements}
        for before in seen:
            if before == allowed:
                yield duplicate(path.index(index).child("matchLabelExpressions"), "")
        seen.append(allowed)


def _validate_parameters(parameters: dict[str, str], path: Path) -> Iterator[FieldError]:
    if len(parameters) > MAX_PARAMETERS:
        yield too_long(path, MAX_PARAMETERS)
        return
    if "" in parameters:
        yield invalid(path, "", "field can not be empty.")
    if sum(len(text.encode()) for pair in parameters.items() for text in pair) > MAX_PARAMETERS_SIZE:
        yield too_long(path, MAX_PARAMETERS_SIZE)


def _validate_topology(term: dict[str, Any], path: Path) -> Iterator[FieldError]:
    seen = set()
    for index, requirement in enumerate(term.get("matchLabelExpressions", ())):
        here, key, values = path.child("matchLabelExpressions").index(index), requirement["key"], requirement["values"]
        if not values:
            yield required(here.child("values"))
        for number, value in enumerate(values or ()):
            if value in values[:number]:
                yield duplicate(here.child("values").index(number), value)
        yield from label_name(key, here.child("key"))
        if key in seen:
            yield duplicate(here.child("key"), key)
        seen.add(key)
