"""The rules for PersistentVolumeClaims, PersistentVolumes and StorageClasses.

Source: pkg/apis/core/validation and pkg/apis/storage/validation. Of the volume types, the fields of host paths, NFS,
local volumes and CSI are checked; those of the others are only decoded.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from autograder.controlplane.apimachinery import quantity
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
from autograder.controlplane.kube_apiserver.validation import names
from autograder.controlplane.kube_apiserver.validation.differences import difference
from autograder.controlplane.kube_apiserver.validation.meta import (
    immutable,
    label_name,
    label_selector,
    validate_metadata,
    validate_metadata_update,
)
from autograder.controlplane.kube_apiserver.validation.meta import invalid as malformed
from autograder.controlplane.kube_apiserver.validation.resource_names import validate_resource_amount
from autograder.controlplane.kube_apiserver.validation.rules import one_of, positive_quantity, required_one_of

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
CLASS_RECLAIM_POLICIES = ("Delete", "Retain")
BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
MAX_PARAMETERS = 512
MAX_PARAMETERS_SIZE = 256 * 1024
#: The fields of a PersistentVolume that say where the storage is, in the order in which they are looked at.
VOLUME_SOURCES = (
    "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs",
    "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
    "azureDisk", "scaleIO", "local", "storageos", "csi",
)  # fmt: skip

_SPEC = Path("spec")


# ---------------------------------------------------------------- claims


def validate_persistent_volume_claim(claim: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new PersistentVolumeClaim."""
    return [*validate_metadata(claim["metadata"], namespaced=True), *validate_claim_spec(claim["spec"], _SPEC)]


def validate_persistent_volume_claim_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; a bound claim may grow, little else may change."""
    spec, old_spec = new["spec"], old["spec"]
    sources = [old_spec.get(name, {}) for name in ("dataSource", "dataSourceRef")]
    well_formed = not any(label_selector(old_spec.get("selector"), Path("")))
    return [
        *validate_metadata_update(new["metadata"], old["metadata"]),
        *validate_metadata(new["metadata"], namespaced=True),
        *validate_claim_spec(
            spec, _SPEC, check_values=well_formed, check_groups=not any("apiGroup" in source for source in sources)
        ),
        *_validate_claim_change(new, old),
    ]


def validate_persistent_volume_claim_status_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with new facts about the volume of a claim."""
    errors = [*validate_metadata_update(new["metadata"], old["metadata"])]
    for name, amount in sorted(new.get("status", {}).get("capacity", {}).items()):
        if quantity.parse(amount).value < 0:
            path = Path("status").child("capacity").key(name)
            errors.append(invalid(path, quantity.parse(amount).value, "must be a valid resource quantity"))
    return errors


def validate_claim_spec(
    spec: dict[str, Any], path: Path, *, check_values: bool = True, check_groups: bool = True
) -> Iterator[FieldError]:
    """What a claim asks for; also the rule for the templates of claims in other kinds."""
    modes = spec.get("accessModes", [])
    if not modes:
        yield required(path.child("accessModes"), "at least 1 access mode is required")
    yield from label_selector(spec.get("selector"), path.child("selector"), check_values=check_values)
    yield from _validate_access_modes(modes, path.child("accessModes"))
    yield from _validate_storage(spec.get("resources", {}).get("requests", {}), path.child("resources").key("storage"))
    yield from _validate_class_name(spec.get("storageClassName", ""), path.child("storageClassName"))
    if "volumeMode" in spec:
        yield from one_of(spec["volumeMode"], path.child("volumeMode"), VOLUME_MODES)
    yield from _validate_data_sources(spec, path, check_groups=check_groups)
    yield from _validate_class_name(spec.get("volumeAttributesClassName", ""), path.child("volumeAttributesClassName"))


def _validate_access_modes(modes: list[str], path: Path) -> Iterator[FieldError]:
    for mode in modes:
        yield from one_of(mode, path, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and (set(modes) & set(ACCESS_MODES)) != {"ReadWriteOncePod"}:
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def _validate_storage(requests: dict[str, str], path: Path) -> Iterator[FieldError]:
    if "storage" not in requests:
        yield required(path)
        return
    errors = list(positive_quantity(requests["storage"], path))
    yield from errors or validate_resource_amount("storage", requests["storage"], path)


def _validate_class_name(name: str, path: Path) -> Iterator[FieldError]:
    return malformed(path, name, names.dns_subdomain(name) if name else [])


def _validate_data_sources(spec: dict[str, Any], path: Path, *, check_groups: bool) -> Iterator[FieldError]:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    for name, given in (("dataSource", source), ("dataSourceRef", reference)):
        if given is not None:
            yield from _validate_data_source(given, path.child(name), check_groups=check_groups)
    if source is None or reference is None:
        return
    if reference.get("namespace"):
        yield invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified")
    elif any(source.get(name) != reference.get(name) for name in ("apiGroup", "kind", "name")):
        yield invalid(path, {}, "must match dataSourceRef")


def _validate_data_source(source: dict[str, Any], path: Path, *, check_groups: bool) -> Iterator[FieldError]:
    for name in ("name", "kind"):
        if not source.get(name):
            yield required(path.child(name))
    group, kind = source.get("apiGroup", ""), source.get("kind", "")
    if not group and kind != "PersistentVolumeClaim":
        yield invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
    if group and check_groups:
        yield from malformed(path.child("apiGroup"), group, names.dns_subdomain(group))
    if source.get("namespace"):
        yield from malformed(path.child("namespace"), source["namespace"], names.dns_label(source["namespace"]))


def _validate_claim_change(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    spec, old_spec = new["spec"], old["spec"]
    yield from _validate_class_annotation(new, old)
    allowed = _with_allowed_changes(new, old)
    if _comparable(allowed) != _comparable(spec):
        only = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        yield forbidden(_SPEC, f"{only}\n{difference(allowed, spec)}")
    size, old_size = (quantity.parse(one.get("resources", {}).get("requests", {}).get("storage", "0")) for one in (spec, old_spec))
    if size < old_size and size <= quantity.parse(old.get("status", {}).get("capacity", {}).get("storage", "0")):
        path = _SPEC.child("resources").child("requests").child("storage")
        yield forbidden(path, "field can not be less than status.capacity")
    yield from immutable(spec.get("volumeMode"), old_spec.get("volumeMode"), Path("volumeMode"))
    if old.get("status", {}).get("currentVolumeAttributesClassName") is not None:
        path, name = _SPEC.child("volumeAttributesClassName"), spec.get("volumeAttributesClassName")
        if not name and name != old_spec.get("volumeAttributesClassName"):
            to = "nil" if name is None else "empty string"
            yield forbidden(path, f"update to {to} is forbidden when status.currentVolumeAttributesClassName is not nil")


def _validate_class_annotation(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    given, before = (one["metadata"].get("annotations", {}).get(CLASS_ANNOTATION, "") for one in (new, old))
    path = Path("metadata").child("annotations").key(CLASS_ANNOTATION)
    if not _moves_class_out_of_annotation(new, old):
        yield from immutable(given, before, path)


def _moves_class_out_of_annotation(new: dict[str, Any], old: dict[str, Any]) -> bool:
    """Whether a claim that named its class in an annotation now names the same one in the spec."""
    given, before = (one["metadata"].get("annotations", {}).get(CLASS_ANNOTATION) for one in (new, old))
    name = new["spec"].get("storageClassName")
    return before is not None and "storageClassName" not in old["spec"] and name == before and given in (None, before)


def _with_allowed_changes(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """The old spec with those changes of the new one that are allowed."""
    spec, allowed = new["spec"], dict(old["spec"])
    if not allowed.get("volumeName") and "volumeName" in spec:
        allowed["volumeName"] = spec["volumeName"]
    annotated = old["metadata"].get("annotations", {}).get(CLASS_ANNOTATION)
    if "storageClassName" in spec and "storageClassName" not in allowed and annotated in (None, spec["storageClassName"]):
        allowed["storageClassName"] = spec["storageClassName"]
    if new.get("status", {}).get("phase") == "Bound":
        requests = spec.get("resources", {}).get("requests", {})
        if "storage" in requests:
            resources = allowed.get("resources", {})
            kept = {**resources.get("requests", {}), "storage": requests["storage"]}
            allowed["resources"] = {**resources, "requests": kept}
        allowed["volumeAttributesClassName"] = spec.get("volumeAttributesClassName")
    return allowed


def _comparable(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec without what is empty, and with amounts by value."""
    resources = {
        part: {name: quantity.parse(amount) for name, amount in amounts.items()}
        for part, amounts in spec.get("resources", {}).items()
    }
    return {name: value for name, value in {**spec, "resources": resources}.items() if value not in (None, [], {})}


# ---------------------------------------------------------------- volumes


def validate_persistent_volume(volume: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with a new PersistentVolume."""
    return [*validate_metadata(volume["metadata"], namespaced=False), *_validate_volume_spec(volume["spec"])]


def validate_persistent_volume_update(new: dict[str, Any], old: dict[str, Any]) -> list[FieldError]:
    """All that is wrong with the change from ``old`` to ``new``; the storage itself stays."""
    errors = validate_persistent_volume(new) * 2
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
    yield from _validate_access_modes(modes, _SPEC.child("accessModes"))
    if not capacity:
        yield required(_SPEC.child("capacity"))
    if set(capacity) != {"storage"}:
        yield not_supported(_SPEC.child("capacity"), capacity or None, ("storage",))
    for name, amount in sorted(capacity.items()):
        yield from positive_quantity(amount, _SPEC.child("capacity").key(name))
    policy = spec.get("persistentVolumeReclaimPolicy", "")
    if policy:
        yield from one_of(policy, _SPEC.child("persistentVolumeReclaimPolicy"), RECLAIM_POLICIES)
    yield from _validate_sources(spec)
    if spec.get("hostPath", {}).get("path") == "/" and policy == "Recycle":
        path = _SPEC.child("persistentVolumeReclaimPolicy")
        yield forbidden(path, "may not be 'recycle' for a hostPath mount of '/'")
    yield from _validate_class_name(spec.get("storageClassName", ""), _SPEC.child("storageClassName"))
    if "volumeMode" in spec:
        yield from one_of(spec["volumeMode"], _SPEC.child("volumeMode"), VOLUME_MODES)


def _validate_sources(spec: dict[str, Any]) -> Iterator[FieldError]:
    sources = [name for name in VOLUME_SOURCES if name in spec]
    for index, name in enumerate(sources):
        path = _SPEC.child(name)
        if index:
            yield forbidden(path, "may not specify more than 1 volume type")
        else:
            yield from _validate_source(name, spec[name], path)
            if name == "local" and not spec.get("nodeAffinity", {}).get("required"):
                yield required(_SPEC.child("nodeAffinity"), "Local volume requires node affinity")
    if not sources:
        yield required(_SPEC, "must specify a volume type")


#: The fields that a volume of a type must have.
_REQUIRED_OF_SOURCE = {
    "hostPath": ("path",), "nfs": ("server", "path"), "local": ("path",), "csi": ("driver", "volumeHandle"),
}  # fmt: skip


def _validate_source(name: str, source: dict[str, Any], path: Path) -> Iterator[FieldError]:
    missing = [field for field in _REQUIRED_OF_SOURCE.get(name, ()) if not source.get(field)]
    yield from (required(path.child(field)) for field in missing)
    location = source.get("path", "")
    if name in ("hostPath", "local") and ".." in location.split("/"):
        yield invalid(path.child("path"), location, "must not contain '..'")
    if name == "nfs" and not posixpath.isabs(location):
        yield invalid(path.child("path"), location, "must be an absolute path")


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
    for index, term in enumerate(storage_class.get("allowedTopologies", ())):
        yield from _validate_topology(term, Path("allowedTopologies").index(index))


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
